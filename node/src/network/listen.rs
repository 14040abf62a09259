//! Listening: every address must be up before the network counts as started.

use std::collections::HashMap;

use futures::StreamExt as _;
use libp2p::{Multiaddr, core::transport::ListenerId, swarm::SwarmEvent};

use super::{
    address,
    error::{BoxError, NetworkError},
    limits::{LISTEN_ADDRESSES_MAX, LISTEN_WAIT},
    task::Task,
};

impl Task {
    /// Listens on `addresses` and returns once each of them is up. Peers that connect meanwhile are not lost.
    pub(super) async fn listen(&mut self, addresses: &[String]) -> Result<(), NetworkError> {
        let mut waiting = self.start_listening(addresses)?;
        let listen = async {
            while !waiting.is_empty() {
                let event = self.swarm.select_next_some().await;
                let failure = match &event {
                    SwarmEvent::NewListenAddr { listener_id, .. } => {
                        waiting.remove(listener_id);
                        None
                    }
                    SwarmEvent::ListenerError { listener_id, error } => {
                        waiting.remove(listener_id).map(|address| (address, error.to_string()))
                    }
                    SwarmEvent::ListenerClosed { listener_id, reason, .. } => {
                        let reason = reason.as_ref().err().map_or("it closed".to_owned(), ToString::to_string);
                        waiting.remove(listener_id).map(|address| (address, reason))
                    }
                    _ => None,
                };
                if let Some((address, reason)) = failure {
                    return Err(refused(&address, reason.into()));
                }
                self.on_swarm_event(event);
            }
            Ok(())
        };
        match tokio::time::timeout(LISTEN_WAIT, listen).await {
            Ok(result) => result,
            Err(elapsed) => {
                let address = waiting.into_values().next().unwrap_or_default();
                Err(NetworkError::Listen { address, source: elapsed.into() })
            }
        }
    }

    fn start_listening(&mut self, addresses: &[String]) -> Result<HashMap<ListenerId, String>, NetworkError> {
        let mut waiting = HashMap::new();
        // All are tried before the first is taken: one of ours on every interface would look like somebody else's.
        for (text, address) in readable(addresses)? {
            let listener = self.swarm.listen_on(address.clone()).map_err(|error| refused(&text, Box::new(error)))?;
            waiting.insert(listener, text);
        }
        Ok(waiting)
    }
}

/// The addresses, each once, if all can be read and nobody listens there.
fn readable(addresses: &[String]) -> Result<Vec<(String, Multiaddr)>, NetworkError> {
    if addresses.len() > LISTEN_ADDRESSES_MAX {
        return Err(NetworkError::TooManyAddresses { found: addresses.len(), bound: LISTEN_ADDRESSES_MAX });
    }
    let mut readable: Vec<(String, Multiaddr)> = Vec::new();
    for text in addresses {
        let (address, _) =
            address::parse(text).map_err(|reason| NetworkError::BadAddress { address: text.clone(), reason })?;
        if address::in_use(&address) {
            return Err(NetworkError::AddressInUse { address: text.clone() });
        }
        if readable.iter().all(|(_, known)| known != &address) {
            readable.push((text.clone(), address));
        }
    }
    Ok(readable)
}

/// Why an address was refused: somebody may have taken it since it was tried.
fn refused(text: &str, source: BoxError) -> NetworkError {
    let address = text.to_owned();
    match address::parse(text) {
        Ok((parsed, _)) if address::in_use(&parsed) => NetworkError::AddressInUse { address },
        _ => NetworkError::Listen { address, source },
    }
}

/// Why nobody could listen at an address now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenFault {
    /// It cannot be read.
    BadAddress {
        /// What is wrong with it.
        reason: String,
    },
    /// Somebody listens there already.
    InUse,
    /// The system refuses: no right to the port, or no such interface.
    Refused {
        /// The system's words.
        reason: String,
    },
}

/// Tries a listen address without keeping it.
pub fn probe(text: &str) -> Result<(), ListenFault> {
    let (address, _) = address::parse(text).map_err(|reason| ListenFault::BadAddress { reason })?;
    match address::bind(&address) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Err(ListenFault::InUse),
        Err(error) => Err(ListenFault::Refused { reason: error.to_string() }),
    }
}
