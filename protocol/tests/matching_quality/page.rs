//! The page about matching, `docs/MATCHING.md`: made from the rules and from what was measured, so that it never says
//! anything else.

use std::fmt::Write;

use protocol::kind::KindSet;
use protocol::limits::MATCH_TEXT_CANDIDATES;
use protocol::matching::{Dimension, Exclusion, Rules};

use crate::measure::Quality;
use crate::set::Split;

/// What was measured on a split: a name, and the three methods.
pub struct Measured {
    pub split: Split,
    /// The whole first, under its own name, then each family.
    pub rows: Vec<(String, [Quality; 3])>,
}

/// What each dimension compares, in Chinese and in English.
fn compares(dimension: Dimension) -> (&'static str, &'static str) {
    match dimension {
        Dimension::Need => ("一方所找是不是另一方所给", "whether one gives what the other looks for"),
        Dimension::Industry => {
            ("国民经济行业代码的远近；没有代码时由文字推断", "how near codes of GB/T 4754 are, or words")
        }
        Dimension::Region => {
            ("所在地与目标区域；没有目标区域时看远近", "the place against wanted regions, else nearness")
        }
        Dimension::Size => ("金额与单笔额度、额度上限、规模", "the amount against ticket, limit and fund"),
        Dimension::Land => {
            ("用地和建筑面积；地块要求的亩均投资、产出、税收", "land and floor, and what the parcel asks for")
        }
        Dimension::Energy => ("能耗和排放与指标", "energy and discharge against the quotas"),
        Dimension::Stage => ("企业所处阶段与阶段偏好", "the stage of the enterprise against preferences"),
        Dimension::Form => ("资金形式、租售、服务内容、物流方式、是否共享", "form of money, tenure, services, sharing"),
        Dimension::Timing => ("期限、可用日期、所处状态", "deadlines, first days, and the state it is in"),
        Dimension::Text => ("去掉通用词以后共有的字对", "pairs of characters in common, without generic words"),
        Dimension::Freshness => ("双方最近一次更新", "when both were last brought up to date"),
        Dimension::Completeness => ("以上各项有多少可以比较", "how much of the others could be compared"),
    }
}

/// The page.
pub fn page(rules: &Rules, measured: &[Measured]) -> String {
    let mut page = String::from(
        "# 匹配 Matching\n\n\
         本页由测试从规则和标注集写出，请勿手改：\n\
         This page is written from the rules and the labelled pairs by a test; do not edit it:\n\n\
         ```\n\
         XIANMENG_WRITE=1 cargo test --release -p xianmeng-protocol --test matching_quality\n\
         ```\n\n",
    );
    let _ = writeln!(page, "规则 Rules: {}，`{}`\n", rules.version(), rules.hash());
    page.push_str(
        "规则和权重在 [`protocol/matching/rules.toml`](../protocol/matching/rules.toml)，怎样计算见 \
         [`protocol/SPEC.md`](../protocol/SPEC.md) 第 20 节。只看全体成员可读的字段，只用整数，同样的记录在任何节点上得出同样的结果。\
         没有写明的既不当作是，也不当作否。\n\
         The rules and weights stand in `rules.toml`, how scores are computed in section 20 of the specification. Only \
         fields that all members read are looked at, in whole numbers, so the same records give the same result on any \
         node. What is not stated is neither a yes nor a no.\n",
    );
    dimensions(&mut page);
    exclusions(&mut page);
    weights(&mut page, rules);
    quality(&mut page, measured);
    page
}

fn dimensions(page: &mut String) {
    page.push_str("\n## 维度 Dimensions\n\n| 维度 Dimension | 比什么 | What is compared |\n| --- | --- | --- |\n");
    for dimension in Dimension::ALL {
        let (zh, en) = compares(dimension);
        let _ = writeln!(page, "| {} `{}` | {zh} | {en} |", dimension.zh(), dimension.name());
    }
    let _ = writeln!(
        page,
        "\n每个维度 0 到 1000 分，按权重相加，再除以权重之和。文字只对其余各项最好的 {MATCH_TEXT_CANDIDATES} 条比较。\n\
         Each dimension is worth 0 to 1000; they are added by weight and divided by the sum of the weights. Texts are \
         compared for the best {MATCH_TEXT_CANDIDATES} by everything else."
    );
}

fn exclusions(page: &mut String) {
    page.push_str("\n## 硬条件 What excludes\n\n| 名称 Name | 排除什么 | What is excluded |\n| --- | --- | --- |\n");
    for reason in Exclusion::ALL {
        let _ = writeln!(page, "| `{}` | {} | {} |", reason.name(), reason.zh(), reason.en());
    }
    page.push_str(
        "\n带“约”“以上”“以内”的数按最宽的读法比较；只写在说明里的，只影响得分，不作硬条件。\n\
         Figures with words such as 约 or 以上 are read as wide as they allow; what only a note says lowers the score \
         and excludes nothing.\n",
    );
}

fn weights(page: &mut String, rules: &Rules) {
    page.push_str("\n## 权重 Weights\n\n先找的一方在前。Who looks comes first.\n\n| 类别 Kinds |");
    Dimension::ALL.into_iter().for_each(|dimension| _ = write!(page, " {} |", dimension.zh()));
    page.push_str("\n| --- |");
    Dimension::ALL.into_iter().for_each(|_| page.push_str(" ---: |"));
    page.push('\n');
    let name = |number| KindSet::builtin().kind(number).map(|kind| kind.zh()).unwrap_or_default();
    for (left, right, pair) in rules.pairs() {
        let _ = write!(page, "| {} → {} |", name(left), name(right));
        for dimension in Dimension::ALL {
            let weight = pair.weight(dimension);
            let _ = if weight == 0 { write!(page, " |") } else { write!(page, " {weight} |") };
        }
        page.push('\n');
    }
}

fn quality(page: &mut String, measured: &[Measured]) {
    page.push_str(
        "\n## 质量 Quality\n\n\
         [标注集](../tests/matching/README.md)上的 nDCG@10：每个主体只看标注过的候选，取各主体的平均。对照两种做法：\
         “只筛选”是同样的类别和硬条件，新的在前；“只搜文字”是用主体的文字按 BM25 搜同样类别的记录。“漏排”是该排除而没有排除的对数，\
         “误排”是可用而被排除的对数，都是本方法的。调权重只用了 tuning，held_out 只用于报告。\n\
         nDCG@10 on the labelled pairs: for each subject its labelled candidates only, the mean over subjects. Beside it \
         “filters only”, the same kinds and hard conditions with the newest first, and “text only”, BM25 over the same \
         kinds for the subject's own words. “Missed” are pairs that had to be excluded and were not, “wrong” are usable \
         pairs that were excluded, both of our method. Only the tuning split was used for setting weights.\n",
    );
    for Measured { split, rows } in measured {
        let name = if *split == Split::Tuning { "tuning" } else { "held_out" };
        let _ = writeln!(page, "\n### {name}\n");
        page.push_str("| 族 Family | 主体 Subjects | 匹配 Matching | 只筛选 Filters only | 只搜文字 Text only | 漏排 Missed | 误排 Wrong |\n");
        page.push_str("| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
        for (family, [ours, filters, text]) in rows {
            let _ = writeln!(
                page,
                "| {family} | {} | {:.3} | {:.3} | {:.3} | {} | {} |",
                ours.subjects,
                ours.ndcg(),
                filters.ndcg(),
                text.ndcg(),
                ours.missed,
                ours.wrong
            );
        }
    }
}
