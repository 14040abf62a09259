//! Units of quantities and money, with exact factors.

use rust_decimal::Decimal;

use crate::value::Value;

/// What a unit measures. Only units of one dimension convert into each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimension {
    Area,
    Count,
    Energy,
    Mass,
    MassPerDay,
    MassPerYear,
    Length,
    Yuan,
    Dollar,
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

const UNITS: &[Unit] = &[
    unit("平方米", Dimension::Area, 1),
    unit("万平方米", Dimension::Area, 10_000),
    unit("公顷", Dimension::Area, 10_000),
    unit("平方公里", Dimension::Area, 1_000_000),
    Unit { symbol: "亩", dimension: Dimension::Area, numerator: 2_000, denominator: 3 },
    Unit { symbol: "万亩", dimension: Dimension::Area, numerator: 20_000_000, denominator: 3 },
    unit("人", Dimension::Count, 1),
    unit("万人", Dimension::Count, 10_000),
    unit("kWh", Dimension::Energy, 1),
    unit("MWh", Dimension::Energy, 1_000),
    unit("万kWh", Dimension::Energy, 10_000),
    unit("GWh", Dimension::Energy, 1_000_000),
    unit("TWh", Dimension::Energy, 1_000_000_000),
    unit("公斤", Dimension::Mass, 1),
    unit("吨", Dimension::Mass, 1_000),
    unit("万吨", Dimension::Mass, 10_000_000),
    unit("吨/天", Dimension::MassPerDay, 1),
    unit("万吨/天", Dimension::MassPerDay, 10_000),
    unit("吨/年", Dimension::MassPerYear, 1),
    unit("万吨/年", Dimension::MassPerYear, 10_000),
    unit("米", Dimension::Length, 1),
    unit("公里", Dimension::Length, 1_000),
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
];

/// Other ways to write a unit.
const ALIASES: &[(&str, &str)] = &[
    ("㎡", "平方米"),
    ("m2", "平方米"),
    ("m²", "平方米"),
    ("万㎡", "万平方米"),
    ("万m2", "万平方米"),
    ("万m²", "万平方米"),
    ("hm²", "公顷"),
    ("平方千米", "平方公里"),
    ("km²", "平方公里"),
    ("名", "人"),
    ("万名", "万人"),
    ("千瓦时", "kWh"),
    ("度", "kWh"),
    ("万千瓦时", "万kWh"),
    ("万度", "万kWh"),
    ("千克", "公斤"),
    ("吨/日", "吨/天"),
    ("万吨/日", "万吨/天"),
    ("千米", "公里"),
    ("人民币元", "元"),
    ("圆", "元"),
    ("万人民币", "万元"),
    ("亿人民币", "亿元"),
    ("元人民币", "元"),
    ("万元人民币", "万元"),
    ("亿元人民币", "亿元"),
];

/// Short forms that are money only where money is expected: 万 alone may count anything.
const MONEY_SHORT_FORMS: &[(&str, &str, &str)] =
    &[("万", "万元", "万美元"), ("百万", "百万元", "百万美元"), ("亿", "亿元", "亿美元")];

/// The unit of that name.
pub(super) fn find(name: &str) -> Option<&'static Unit> {
    let name = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name)).map_or(name, |(_, symbol)| symbol);
    UNITS.iter().find(|unit| unit.symbol.eq_ignore_ascii_case(name))
}

/// The unit of money of that name; `万` and `亿` alone are taken in the currency of `expected`.
pub(super) fn find_money(name: &str, expected: &Unit) -> Option<&'static Unit> {
    let short = MONEY_SHORT_FORMS.iter().find(|(short, ..)| *short == name);
    let name = match (short, expected.dimension) {
        (Some((_, _, dollar)), Dimension::Dollar) => dollar,
        (Some((_, yuan, _)), _) => yuan,
        (None, _) => name,
    };
    find(name).filter(|unit| unit.currency().is_some())
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
    UNITS.iter().find(|unit| unit.numerator == 1 && unit.currency().as_ref() == Some(currency))
}

/// The number of a value in another unit of the same sort; `None` when it has none, or the conversion is not exact.
pub(super) fn amount_in(value: &Value, target: &str) -> Option<Decimal> {
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
    fn too_large_numbers_are_refused_not_rounded() {
        assert_eq!(convert("79228162514264337593543950335", "亿元", "元"), None);
        assert_eq!(
            convert("0.0000000000000000000000000001", "万元", "元").as_deref(),
            Some("0.000000000000000000000001")
        );
    }

    #[test]
    fn short_forms_are_money_where_money_is_expected() {
        let yuan = find("亿元").expect("a known unit");
        let dollar = find("美元").expect("a known unit");
        assert_eq!(find_money("亿", yuan).map(|unit| unit.symbol), Some("亿元"));
        assert_eq!(find_money("万", dollar).map(|unit| unit.symbol), Some("万美元"));
        assert!(find("亿").is_none());
        assert!(find_money("亩", yuan).is_none());
    }
}
