//! Records of the tests' world through the consumer to an answer.

use std::sync::Arc;

use protocol::identity::EntryId;
use protocol::matching::Unmatchable;

use super::ask::{self, Asked, MATCHES, MatchError};
use super::{CatalogueConsumer, Shelf};
use crate::api::types::CreateRecord;
use crate::derive::{Batch, Consumer, Settled};
use crate::kinds::kinds;
use crate::records::look::look;
use crate::records::tests::world::{World, texts};

/// Hands every record of the world to the consumer, as the follower does.
fn follow(world: &World, consumer: &mut CatalogueConsumer) {
    let as_of_ms = world.core.as_of_ms();
    let ids: Vec<EntryId> = world.core.read(|state| state.view().ids(as_of_ms).collect());
    let batch = Batch { records: look(&world.core, kinds(), &ids, as_of_ms), as_of_ms };
    consumer.take(&batch).expect("nothing can fail");
    let positions = world.core.take_touched().positions;
    let settled = Settled { positions: &positions, looked_until_ms: as_of_ms, round: None, is_idle: true };
    assert_eq!(consumer.settle(&settled).expect("nothing can fail"), None);
}

struct Bench {
    world: World,
    shelf: Arc<Shelf>,
    consumer: CatalogueConsumer,
}

impl Bench {
    async fn new() -> Self {
        let shelf = Arc::new(Shelf::default());
        let consumer = CatalogueConsumer::new(Arc::clone(&shelf), kinds());
        Self { world: World::new().await, shelf, consumer }
    }

    async fn publish(&self, kind: &str, external: &str, fields: &[(&str, &str)]) -> EntryId {
        let (kind, external) = (kind.to_owned(), Some(external.to_owned()));
        self.world.create(CreateRecord { kind, external, fields: texts(fields), readers: None, parties: None }).await
    }

    async fn parcel(&self, external: &str, area: &str) -> EntryId {
        let fields = [
            ("地块编号", external),
            ("地块名称", "开发区地块"),
            ("面积", area),
            ("土地用途", "工业用地"),
            ("行业代码", "3841"),
            ("符合国土空间规划", "是"),
            ("符合“三区三线”", "是"),
            ("土地状态", "储备"),
            ("说明", "紧邻高速"),
        ];
        self.publish("land_parcel", external, &fields).await
    }

    fn follow(&mut self) {
        follow(&self.world, &mut self.consumer);
    }

    fn asked(&self, reference: &str) -> Result<Vec<String>, MatchError> {
        let asked = Asked { kinds: Vec::new(), limit: MATCHES, excluded: true };
        let view = ask::matches(&self.world.core, &self.shelf, reference, &asked)?;
        assert!(view.complete);
        Ok(view.found.into_iter().filter_map(|found| found.record.external).collect())
    }
}

const DEMAND: [(&str, &str); 4] =
    [("需求类别", "土地厂房"), ("需求名称", "电芯项目用地"), ("行业代码", "3841"), ("需要用地", "400")];

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_never_behind_in_what_it_shows() {
    let mut bench = Bench::new().await;
    bench.publish("demand", "XQ1", &DEMAND).await;
    let first = bench.parcel("DK1", "476").await;
    let second = bench.parcel("DK2", "600").await;
    bench.parcel("DK3", "100").await;
    assert!(!bench.shelf.is_complete());
    bench.follow();
    assert_eq!(bench.shelf.len(), 4);
    assert_eq!(bench.asked("XQ1").expect("it can be matched"), ["DK1", "DK2"]);

    // The catalogue has not heard of it yet; what is shown is read again.
    bench.world.withdraw(first, None).await.expect("it is this member's");
    assert_eq!(bench.asked("XQ1").expect("it can be matched"), ["DK2"]);
    assert!(matches!(bench.asked("DK1"), Err(MatchError::Uncounted { .. })));
    bench.world.revise(second, &[("面积", "300")], &[]).await.expect("it is this member's");
    assert_eq!(bench.asked("XQ1").expect("it can be matched"), [""; 0]);
    bench.follow();
    assert_eq!(bench.shelf.len(), 3);
    assert_eq!(bench.asked("XQ1").expect("it can be matched"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_matched_says_why_and_what_can_be() {
    let mut bench = Bench::new().await;
    bench.publish("demand", "XQ1", &[("期限", "2020-01-01"), DEMAND[0], DEMAND[1]]).await;
    bench.publish("brand", "PP1", &[("品牌名称", "金城招商"), ("品牌层级", "主品牌")]).await;
    bench.follow();
    let expired = bench.asked("XQ1").expect_err("its deadline is over");
    assert!(matches!(expired, MatchError::Unmatchable { reason: Unmatchable::Expired, .. }));
    assert!(expired.zh().contains("期限已过") && expired.zh().contains("revise"), "{}", expired.zh());
    let brand = bench.asked("PP1").expect_err("brands are not matched");
    assert!(brand.zh().contains("可以匹配的类别") && brand.zh().contains("需求"), "{}", brand.zh());
    assert!(matches!(bench.asked("XQ9"), Err(MatchError::Record(_))));
    assert_eq!(ask::recommendations(&bench.world.core, &bench.shelf, None, 5), Err(MatchError::NoOwnFunds));
}
