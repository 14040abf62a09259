//! Units of quantities and money, with exact factors.
//!
//! A unit that has a name of its own (`万亩`, `kWh`) is in the table. A multiplier may stand before any unit
//! (`5千吨`, `1.2亿度`, `3万座`), also before one that only a kind file knows: [`Scale`] is what a text names.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rust_decimal::Decimal;

use crate::value::Value;

/// What a unit measures. Only units of one dimension convert into each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimension {
    Area,
    /// Things or events of one sort: persons do not convert into firms.
    Counted(&'static str),
    /// A part of a whole. 倍 and 百分点 are none: they say how much more, not how much.
    Share,
    Energy,
    Power,
    /// What a transformer is rated by, which is not power.
    ApparentPower,
    Coal,
    CoalPerYuan,
    Mass,
    MassPerDay,
    MassPerYear,
    MassPerArea,
    Volume,
    VolumePerDay,
    VolumePerYear,
    Length,
    /// Hours and days.
    Time,
    /// Months and years, whose days vary.
    CalendarTime,
    Yuan,
    Dollar,
    YuanPerArea,
    YuanPerAreaAndMonth,
    /// Yuan for one of something: an order, a ton, a kilowatt hour.
    YuanPer(&'static str),
}

/// A unit: `numerator / denominator` times the base unit of its dimension.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    /// The name under which it is written.
    pub(super) symbol: &'static str,
    pub(super) dimension: Dimension,
    numerator: i64,
    denominator: i64,
}

const fn unit(symbol: &'static str, dimension: Dimension, numerator: i64) -> Unit {
    Unit { symbol, dimension, numerator, denominator: 1 }
}

const fn part(symbol: &'static str, dimension: Dimension, numerator: i64, denominator: i64) -> Unit {
    Unit { symbol, dimension, numerator, denominator }
}

const fn counted(symbol: &'static str) -> Unit {
    unit(symbol, Dimension::Counted(symbol), 1)
}

const UNITS: &[Unit] = &[
    unit("平方米", Dimension::Area, 1),
    unit("万平方米", Dimension::Area, 10_000),
    unit("公顷", Dimension::Area, 10_000),
    unit("平方公里", Dimension::Area, 1_000_000),
    part("亩", Dimension::Area, 2_000, 3),
    part("万亩", Dimension::Area, 20_000_000, 3),
    counted("人"),
    unit("万人", Dimension::Counted("人"), 10_000),
    counted("人次"),
    unit("万人次", Dimension::Counted("人次"), 10_000),
    counted("户"),
    counted("家"),
    counted("个"),
    counted("条"),
    counted("项"),
    counted("次"),
    counted("场"),
    counted("层"),
    counted("单"),
    unit("万单", Dimension::Counted("单"), 10_000),
    counted("倍"),
    counted("分"),
    counted("百分点"),
    counted("工作日"),
    unit("‰", Dimension::Share, 1),
    unit("%", Dimension::Share, 10),
    unit("成", Dimension::Share, 100),
    unit("kWh", Dimension::Energy, 1),
    unit("MWh", Dimension::Energy, 1_000),
    unit("万kWh", Dimension::Energy, 10_000),
    unit("GWh", Dimension::Energy, 1_000_000),
    unit("亿kWh", Dimension::Energy, 100_000_000),
    unit("TWh", Dimension::Energy, 1_000_000_000),
    unit("kW", Dimension::Power, 1),
    unit("MW", Dimension::Power, 1_000),
    unit("万kW", Dimension::Power, 10_000),
    unit("GW", Dimension::Power, 1_000_000),
    unit("kVA", Dimension::ApparentPower, 1),
    unit("MVA", Dimension::ApparentPower, 1_000),
    unit("万kVA", Dimension::ApparentPower, 10_000),
    unit("吨标煤", Dimension::Coal, 1),
    unit("万吨标煤", Dimension::Coal, 10_000),
    unit("吨标煤/万元", Dimension::CoalPerYuan, 1),
    unit("公斤", Dimension::Mass, 1),
    unit("吨", Dimension::Mass, 1_000),
    unit("万吨", Dimension::Mass, 10_000_000),
    unit("吨/天", Dimension::MassPerDay, 1),
    unit("万吨/天", Dimension::MassPerDay, 10_000),
    unit("吨/年", Dimension::MassPerYear, 1),
    unit("万吨/年", Dimension::MassPerYear, 10_000),
    unit("公斤/平方米", Dimension::MassPerArea, 1),
    unit("吨/平方米", Dimension::MassPerArea, 1_000),
    unit("立方米", Dimension::Volume, 1),
    unit("万立方米", Dimension::Volume, 10_000),
    unit("立方米/天", Dimension::VolumePerDay, 1),
    unit("万立方米/天", Dimension::VolumePerDay, 10_000),
    unit("立方米/年", Dimension::VolumePerYear, 1),
    unit("万立方米/年", Dimension::VolumePerYear, 10_000),
    unit("米", Dimension::Length, 1),
    unit("公里", Dimension::Length, 1_000),
    unit("小时", Dimension::Time, 1),
    unit("天", Dimension::Time, 24),
    unit("月", Dimension::CalendarTime, 1),
    unit("年", Dimension::CalendarTime, 12),
    unit("元", Dimension::Yuan, 1),
    unit("千元", Dimension::Yuan, 1_000),
    unit("万元", Dimension::Yuan, 10_000),
    unit("百万元", Dimension::Yuan, 1_000_000),
    unit("千万元", Dimension::Yuan, 10_000_000),
    unit("亿元", Dimension::Yuan, 100_000_000),
    unit("万亿元", Dimension::Yuan, 1_000_000_000_000),
    unit("美元", Dimension::Dollar, 1),
    unit("万美元", Dimension::Dollar, 10_000),
    unit("百万美元", Dimension::Dollar, 1_000_000),
    unit("亿美元", Dimension::Dollar, 100_000_000),
    unit("元/平方米", Dimension::YuanPerArea, 1),
    unit("万元/平方米", Dimension::YuanPerArea, 10_000),
    part("元/亩", Dimension::YuanPerArea, 3, 2_000),
    part("万元/亩", Dimension::YuanPerArea, 15, 1),
    part("元/公顷", Dimension::YuanPerArea, 1, 10_000),
    unit("万元/公顷", Dimension::YuanPerArea, 1),
    part("万元/平方公里", Dimension::YuanPerArea, 1, 100),
    unit("亿元/平方公里", Dimension::YuanPerArea, 100),
    unit("元/平方米/月", Dimension::YuanPerAreaAndMonth, 1),
    unit("元/单", Dimension::YuanPer("单"), 1),
    unit("元/kWh", Dimension::YuanPer("kWh"), 1),
    unit("元/立方米", Dimension::YuanPer("立方米"), 1),
    unit("元/吨", Dimension::YuanPer("吨"), 1),
    unit("元/月", Dimension::YuanPer("月"), 1),
];

/// Other ways to write a unit. 方, 位 and 斤 are left out, since each may mean several things.
const ALIASES: &[(&str, &str)] = &[
    ("㎡", "平方米"),
    ("m²", "平方米"),
    ("平米", "平方米"),
    ("万㎡", "万平方米"),
    ("万m²", "万平方米"),
    ("万平米", "万平方米"),
    ("hm²", "公顷"),
    ("平方千米", "平方公里"),
    ("km²", "平方公里"),
    ("名", "人"),
    ("万名", "万人"),
    ("个百分点", "百分点"),
    ("个工作日", "工作日"),
    ("千瓦时", "kWh"),
    ("度", "kWh"),
    ("万千瓦时", "万kWh"),
    ("万度", "万kWh"),
    ("亿千瓦时", "亿kWh"),
    ("亿度", "亿kWh"),
    ("兆瓦时", "MWh"),
    ("吉瓦时", "GWh"),
    ("千瓦", "kW"),
    ("兆瓦", "MW"),
    ("万千瓦", "万kW"),
    ("吉瓦", "GW"),
    ("千伏安", "kVA"),
    ("兆伏安", "MVA"),
    ("万千伏安", "万kVA"),
    ("吨标准煤", "吨标煤"),
    ("万吨标准煤", "万吨标煤"),
    ("tce", "吨标煤"),
    ("吨标准煤/万元", "吨标煤/万元"),
    ("tce/万元", "吨标煤/万元"),
    ("千克", "公斤"),
    ("kg", "公斤"),
    ("t", "吨"),
    ("吨/日", "吨/天"),
    ("t/d", "吨/天"),
    ("万吨/日", "万吨/天"),
    ("t/a", "吨/年"),
    ("千克/平方米", "公斤/平方米"),
    ("kg/m²", "公斤/平方米"),
    ("t/m²", "吨/平方米"),
    ("吨/㎡", "吨/平方米"),
    ("m³", "立方米"),
    ("㎥", "立方米"),
    ("万m³", "万立方米"),
    ("万㎥", "万立方米"),
    ("立方米/日", "立方米/天"),
    ("万立方米/日", "万立方米/天"),
    ("m³/d", "立方米/天"),
    ("m", "米"),
    ("千米", "公里"),
    ("km", "公里"),
    ("h", "小时"),
    ("个小时", "小时"),
    ("日", "天"),
    ("个月", "月"),
    ("人民币元", "元"),
    ("圆", "元"),
    ("万人民币", "万元"),
    ("亿人民币", "亿元"),
    ("元人民币", "元"),
    ("万元人民币", "万元"),
    ("亿元人民币", "亿元"),
    ("元/㎡", "元/平方米"),
    ("元/m²", "元/平方米"),
    ("万元/㎡", "万元/平方米"),
    ("万元/m²", "万元/平方米"),
    ("元/平方米·月", "元/平方米/月"),
    ("元/㎡/月", "元/平方米/月"),
    ("元/㎡·月", "元/平方米/月"),
    ("元/度", "元/kWh"),
    ("元/千瓦时", "元/kWh"),
    ("元/m³", "元/立方米"),
];

/// What may stand before a unit, longer ones first. 百 and 十 alone are left out: nobody writes 3百人, and 百分 is
/// something else.
const MULTIPLIERS: [(&str, i64); 10] = [
    ("万亿", 1_000_000_000_000),
    ("千亿", 100_000_000_000),
    ("百亿", 10_000_000_000),
    ("十亿", 1_000_000_000),
    ("千万", 10_000_000),
    ("百万", 1_000_000),
    ("十万", 100_000),
    ("亿", 100_000_000),
    ("万", 10_000),
    ("千", 1_000),
];

/// The unit of that name.
pub(super) fn find(name: &str) -> Option<&'static Unit> {
    match name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => NAMES.get(name.to_ascii_lowercase().as_str()).copied(),
        false => NAMES.get(name).copied(),
    }
}

/// Every name of a unit with small letters. Every figure of every row is looked up here.
static NAMES: LazyLock<BTreeMap<String, &'static Unit>> = LazyLock::new(|| {
    let mut names = BTreeMap::new();
    let own = |name: &str| UNITS.iter().find(|unit| unit.symbol.eq_ignore_ascii_case(name));
    let aliases = ALIASES.iter().filter_map(|(alias, symbol)| Some((*alias, own(symbol)?)));
    for (name, unit) in aliases.chain(UNITS.iter().map(|unit| (unit.symbol, unit))) {
        names.entry(name.to_ascii_lowercase()).or_insert(unit);
    }
    names
});

/// What the text is a multiplier of, if it is nothing but one: 万, 亿.
pub(super) fn multiplier(text: &str) -> Option<Decimal> {
    MULTIPLIERS.iter().find(|(word, _)| *word == text).map(|(_, factor)| Decimal::from(*factor))
}

/// What stands behind a number: a multiplier and a unit. Either may be all there is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scale {
    /// How it is written: 万亩, 千吨, and what a kind file alone knows.
    pub(super) symbol: String,
    /// By what the number is multiplied.
    pub(super) factor: Decimal,
    /// The name of the unit, as the table or the kind file writes it.
    pub(super) unit: String,
}

impl Scale {
    /// Reads what stands behind a number in a column whose numbers are in `column`. `None` when that is no unit, or
    /// when it is a multiplier before a unit that has one itself: 3万 in a column of 万吨 may mean either.
    pub(super) fn read(text: &str, column: &str) -> Option<Self> {
        let plain = |unit: &str| Self { symbol: unit.to_owned(), factor: Decimal::ONE, unit: unit.to_owned() };
        if text.is_empty() {
            return Some(plain(find(column).map_or(column, |unit| unit.symbol)));
        }
        if let Some(unit) = find(text) {
            return Some(plain(unit.symbol));
        }
        if text == column {
            return Some(plain(column));
        }
        if multiplier(text).is_some() {
            return match MULTIPLIERS.iter().any(|(word, _)| column.starts_with(word)) {
                true => None,
                false => Self::read(&format!("{text}{column}"), column),
            };
        }
        MULTIPLIERS.iter().find_map(|(word, factor)| {
            let rest = text.strip_prefix(word)?;
            let unit = find(rest).map_or(rest, |unit| unit.symbol);
            let known = unit == column || find(unit).is_some();
            known.then(|| Self {
                symbol: format!("{word}{unit}"),
                factor: Decimal::from(*factor),
                unit: unit.to_owned(),
            })
        })
    }

    /// The same for money: `万` and `亿` alone are taken in the currency of `column`.
    pub(super) fn read_money(text: &str, column: &Unit) -> Option<Self> {
        let whole = column.currency().and_then(|currency| whole_unit(&currency))?;
        let scale = match multiplier(text) {
            Some(_) => Self::read(text, whole.symbol),
            None => Self::read(text, column.symbol),
        };
        scale.filter(|scale| find(&scale.unit).is_some_and(|unit| unit.currency().is_some()))
    }
}

impl Unit {
    /// ISO 4217, for units of money.
    pub(super) fn currency(&self) -> Option<[u8; 3]> {
        match self.dimension {
            Dimension::Yuan => Some(*b"CNY"),
            Dimension::Dollar => Some(*b"USD"),
            _ => None,
        }
    }

    /// `amount` of this unit in the unit `target`; `None` when that is not exact, too large, or of another dimension.
    pub(super) fn convert(&self, amount: Decimal, target: &Unit) -> Option<Decimal> {
        if self.dimension != target.dimension {
            return None;
        }
        let numerator = Decimal::from(self.numerator).checked_mul(Decimal::from(target.denominator))?;
        let denominator = Decimal::from(self.denominator).checked_mul(Decimal::from(target.numerator))?;
        let product = exact_mul(amount, numerator)?;
        let converted = product.checked_div(denominator)?;
        (exact_mul(converted, denominator)? == product).then(|| converted.normalize())
    }
}

/// A product without rounding. The library rounds a product with more than 28 decimals, so the scales are added up.
pub(super) fn exact_mul(left: Decimal, right: Decimal) -> Option<Decimal> {
    let (left, right) = (left.normalize(), right.normalize());
    let product = left.checked_mul(right)?;
    (left.scale() + right.scale() <= Decimal::MAX_SCALE && product.scale() == left.scale() + right.scale()
        || product.is_zero())
    .then(|| product.normalize())
}

/// The unit in which amounts of a currency are stored: 元, 美元.
pub(super) fn whole_unit(currency: &[u8; 3]) -> Option<&'static Unit> {
    WHOLE_UNITS.iter().copied().find(|unit| unit.currency().as_ref() == Some(currency))
}

/// The units of money of which the others are multiples.
static WHOLE_UNITS: LazyLock<Vec<&'static Unit>> =
    LazyLock::new(|| UNITS.iter().filter(|unit| unit.numerator == 1 && unit.currency().is_some()).collect());

/// The number of a value in another unit of the same sort; `None` when it has none, or the conversion is not exact.
pub fn amount_in(value: &Value, target: &str) -> Option<Decimal> {
    match value {
        Value::Decimal(number) => Some(number.amount()),
        Value::Quantity { number, unit } if unit == target => Some(number.amount()),
        Value::Quantity { number, unit } => find(unit)?.convert(number.amount(), find(target)?),
        Value::Money { number, currency } => whole_unit(currency)?.convert(number.amount(), find(target)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(amount: &str, from: &str, to: &str) -> Option<String> {
        let (from, to) = (find(from).expect("a known unit"), find(to).expect("a known unit"));
        from.convert(amount.parse().expect("a decimal"), to).map(|amount| amount.to_string())
    }

    #[test]
    fn conversions_are_exact_or_refused() {
        assert_eq!(convert("2", "公顷", "亩").as_deref(), Some("30"));
        assert_eq!(convert("31.73", "公顷", "亩").as_deref(), Some("475.95"));
        assert_eq!(convert("1000", "平方米", "亩").as_deref(), Some("1.5"));
        assert_eq!(convert("270000", "平方米", "万平方米").as_deref(), Some("27"));
        assert_eq!(convert("15", "亩", "公顷").as_deref(), Some("1"));
        assert_eq!(convert("1", "亩", "公顷"), None);
        assert_eq!(convert("1", "亩", "人"), None);
        assert_eq!(convert("0.4584", "平方公里", "亩").as_deref(), Some("687.6"));
    }

    #[test]
    fn intensities_shares_and_rates_convert_within_their_dimension() {
        for (amount, from, to, wanted) in [
            ("20", "万元/亩", "元/平方米", "300"),
            ("300", "元/平方米", "万元/亩", "20"),
            ("20", "万元/亩", "元/亩", "200000"),
            ("1", "亿元/平方公里", "万元/公顷", "100"),
            ("20", "万元/亩", "万元/公顷", "300"),
            ("30", "%", "‰", "300"),
            ("5", "成", "%", "50"),
            ("2", "年", "月", "24"),
            ("3", "天", "小时", "72"),
            ("1.5", "兆瓦", "kW", "1500"),
            ("30", "万度", "kWh", "300000"),
            ("2", "吨/平方米", "kg/m²", "2000"),
            ("5", "万立方米/日", "立方米/天", "50000"),
            ("0.5", "吨标准煤/万元", "吨标煤/万元", "0.5"),
        ] {
            assert_eq!(convert(amount, from, to).as_deref(), Some(wanted), "{amount}{from}");
        }
        for (from, to) in [
            ("倍", "%"),
            ("百分点", "%"),
            ("家", "个"),
            ("人次", "人"),
            ("天", "月"),
            ("工作日", "天"),
            ("kVA", "kW"),
            ("万吨/天", "吨/年"),
            ("吨标煤", "吨"),
            ("元/平方米/月", "元/平方米"),
            ("美元", "元"),
        ] {
            assert_eq!(convert("1", from, to), None, "{from}");
        }
    }

    #[test]
    fn every_alias_and_every_symbol_leads_to_one_unit() {
        for (alias, symbol) in ALIASES {
            assert_eq!(find(alias).map(|unit| unit.symbol), Some(*symbol), "{alias}");
        }
        for unit in UNITS {
            assert_eq!(find(unit.symbol).map(|found| found.symbol), Some(unit.symbol));
            assert!(multiplier(unit.symbol).is_none());
        }
    }

    #[test]
    fn too_large_numbers_are_refused_not_rounded() {
        assert_eq!(convert("79228162514264337593543950335", "亿元", "元"), None);
        assert_eq!(
            convert("0.0000000000000000000000000001", "万元", "元").as_deref(),
            Some("0.000000000000000000000001")
        );
    }

    fn scale(text: &str, column: &str) -> Option<(String, String)> {
        Scale::read(text, column).map(|scale| (scale.symbol, scale.factor.to_string()))
    }

    #[test]
    fn a_multiplier_may_stand_before_any_unit() {
        assert_eq!(scale("千吨", "吨"), Some(("千吨".into(), "1000".into())));
        assert_eq!(scale("十万千瓦时", "kWh"), Some(("十万kWh".into(), "100000".into())));
        assert_eq!(scale("万座", "座"), Some(("万座".into(), "10000".into())));
        assert_eq!(scale("万亩", "亩"), Some(("万亩".into(), "1".into())));
        assert_eq!(scale("千米", "米"), Some(("公里".into(), "1".into())));
        assert_eq!(scale("万", "家"), Some(("万家".into(), "10000".into())));
        assert_eq!(scale("万", "亩"), Some(("万亩".into(), "1".into())));
        for (text, column) in [("万", "万吨"), ("亿", "万亩"), ("亩地", "亩"), ("万万", "家"), ("百分", "分")]
        {
            assert_eq!(scale(text, column), None, "{text}");
        }
    }

    #[test]
    fn short_forms_are_money_where_money_is_expected() {
        let yuan = find("亿元").expect("a known unit");
        let dollar = find("美元").expect("a known unit");
        let symbol = |text: &str, column: &Unit| Scale::read_money(text, column).map(|scale| scale.symbol);
        assert_eq!(symbol("亿", yuan).as_deref(), Some("亿元"));
        assert_eq!(symbol("", yuan).as_deref(), Some("亿元"));
        assert_eq!(symbol("万", dollar).as_deref(), Some("万美元"));
        assert_eq!(symbol("千亿元", yuan).as_deref(), Some("千亿元"));
        assert!(find("亿").is_none());
        assert!(Scale::read_money("亩", yuan).is_none());
        assert!(Scale::read_money("元/亩", yuan).is_none());
    }
}
