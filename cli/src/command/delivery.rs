//! To how many members' nodes something has been delivered, and waiting until it is all of them.

use std::time::{Duration, Instant};

use node::api::types::Delivery;

use crate::client::{Client, segment};
use crate::context::Context;
use crate::failure::Failure;

const ASK_AGAIN: Duration = Duration::from_millis(200);

/// How far a record has got.
pub fn of(client: &Client, record: &str) -> Result<Delivery, Failure> {
    client.get(&format!("/v1/records/{}/delivery", segment(record)), &[])
}

/// Says how far a record has got whenever that changes, until every member has it or the time is up.
pub fn follow(
    context: &Context,
    client: &Client,
    record: &str,
    first: Delivery,
    wait_seconds: u64,
) -> Result<Delivery, Failure> {
    let end = Instant::now() + Duration::from_secs(wait_seconds);
    let mut delivery = first;
    say(context, &delivery);
    while delivery.delivered < delivery.members && Instant::now() < end {
        std::thread::sleep(ASK_AGAIN);
        let now = of(client, record)?;
        if now != delivery {
            say(context, &now);
            delivery = now;
        }
    }
    if delivery.delivered < delivery.members {
        context.out.say(
            format!("其余成员上线后会自动收到；以后可用 xianmeng status {record} 查看。"),
            format!("The others receive it when they are up; `xianmeng status {record}` shows it later."),
        );
    }
    Ok(delivery)
}

fn say(context: &Context, delivery: &Delivery) {
    context.out.line(text(delivery));
}

/// A line for people.
pub fn text(delivery: &Delivery) -> String {
    let Delivery { delivered, members, .. } = delivery;
    if *members == 0 {
        return "联盟里还没有其他成员 there is no other member yet".into();
    }
    format!("已送达 {delivered}/{members} 个成员的节点 delivered to {delivered} of {members} members' nodes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_a_fraction() {
        let delivery = Delivery { delivered: 1, members: 2, held_by: vec![3] };
        assert!(text(&delivery).starts_with("已送达 1/2 "));
        assert!(text(&Delivery::default()).contains("还没有其他成员"));
    }
}
