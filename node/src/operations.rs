//! What an operator watches a node by: doctor, alarms, metrics, and the log of logins and writes, put together.

use std::sync::Arc;
use std::time::Duration;

use protocol::identity::PublicKey;
use tokio::task::JoinSet;

use crate::access_log::AccessLog;
use crate::alarms::webhook::Targets;
use crate::alarms::{Alarms, Source};
use crate::api::ApiHooks;
use crate::config::Config;
use crate::core::Core;
use crate::derive::Derived;
use crate::dialer::Troubles;
use crate::directory::{DataDirectory, DirectoryError};
use crate::doctor::{ClockOffset, CutOff, Doctor, Patient};
use crate::metrics::{MemberCounts, Metrics, Requests, Sources};
use crate::network::Network;
use crate::store::OpenReport;

/// What the operations of a node are about.
pub struct Parts {
    /// Replica, view and store.
    pub core: Core,
    /// The network.
    pub network: Network,
    /// The search index.
    pub derived: Derived,
    /// The data directory.
    pub directory: DataDirectory,
    /// The settings.
    pub config: Config,
    /// What opening the store found.
    pub report: OpenReport,
    /// What keeps configured peers away.
    pub troubles: Troubles,
    /// By how much this machine's clock is ahead of that of most members.
    pub clock: ClockOffset,
    /// That this node is cut off, as the health model finds it.
    pub cut_off: CutOff,
    /// The transport key in use.
    pub transport: PublicKey,
    /// When the node started, in milliseconds since 1970 (UTC).
    pub started_ms: u64,
    /// The rest of the node.
    pub hooks: Arc<dyn ApiHooks>,
    /// Further parts whose findings become alarms: health, custody, duties.
    pub sources: Vec<Arc<dyn Source>>,
    /// Members by state, for the metrics, once somebody counts them.
    pub members: Option<MemberCounts>,
}

/// Doctor, alarms, metrics and the log of logins and writes of a node. Cheap to clone.
#[derive(Clone)]
pub struct Operations {
    /// What is wrong with this node.
    pub doctor: Doctor,
    /// What is watched.
    pub alarms: Alarms,
    /// What Prometheus is told.
    pub metrics: Metrics,
    /// Who asked this node to do what.
    pub access_log: AccessLog,
    webhooks: Targets,
}

impl Operations {
    /// Puts them together. Nothing runs before [`Self::run`].
    pub fn new(parts: Parts) -> Result<Self, DirectoryError> {
        let Parts { core, network, derived, directory, config, started_ms, .. } = parts;
        let access_log = AccessLog::open(&directory.access_log_path());
        let urls = &config.alarms.webhooks;
        // A node without webhooks needs no secret.
        let secret = if urls.is_empty() { String::new() } else { directory.alarm_secret()? };
        let authorities = &config.alarms.authorities;
        let authorities = (!authorities.is_empty()).then(|| directory.path().join(authorities));
        let webhooks = Targets::new(urls, &secret, authorities.as_deref());
        let interval = Duration::from_secs(config.alarms.check_seconds);
        let doctor = Doctor::new(Patient {
            core: core.clone(),
            network: network.clone(),
            derived: derived.clone(),
            directory,
            config,
            report: parts.report,
            troubles: parts.troubles,
            access_log: access_log.clone(),
            webhooks: webhooks.clone(),
            clock: parts.clock,
            cut_off: parts.cut_off,
            transport: parts.transport,
            started_ms,
            hooks: parts.hooks,
        });
        let mut sources: Vec<Arc<dyn Source>> = vec![Arc::new(doctor.clone())];
        sources.extend(parts.sources);
        let alarms = Alarms::new(core.clone(), sources, webhooks.clone(), interval);
        let metrics = Metrics::new(Sources {
            core,
            network,
            derived,
            doctor: doctor.clone(),
            alarms: alarms.clone(),
            access_log: access_log.clone(),
            requests: Requests::default(),
            members: parts.members,
            started_ms,
        });
        Ok(Self { doctor, alarms, metrics, access_log, webhooks })
    }

    /// Watches and delivers until the node stops.
    pub fn run(&self, tasks: &mut JoinSet<()>) {
        tasks.spawn(self.alarms.clone().run());
        tasks.spawn(self.webhooks.clone().run());
    }
}
