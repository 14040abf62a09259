//! From the file to the rules: every name is looked up, every number checked.

use std::collections::BTreeMap;

use super::raw::{KindFile, MeaningFile, PairFile, RatioFile, RegionFile, RulesFile};
use super::{AmountIs, KindRules, Meaning, Pair, Ratio, Rules, Scale};
use crate::identity::ContentHash;
use crate::kind::{Field, FieldType, Kind, KindSet, Lifecycle, Readers};
use crate::matching::dimension::Dimension;
use crate::matching::figure::Slot;
use crate::matching::industry::{Industry, section_bit};
use crate::matching::region::Regions;
use crate::matching::words::{WordTable, normal};

/// Provinces have two digits.
const PROVINCE_CODES: usize = 100;

/// What is wrong, and where.
pub(super) struct Wrong {
    pub(super) place: String,
    pub(super) rule: String,
}

/// A reason that gets its place.
trait At<T> {
    fn at(self, place: &str) -> Result<T, Wrong>;
}

impl<T, E: ToString> At<T> for Result<T, E> {
    fn at(self, place: &str) -> Result<T, Wrong> {
        self.map_err(|rule| Wrong { place: place.to_owned(), rule: rule.to_string() })
    }
}

/// Names that stand for bits, in their order.
struct Bits<'a> {
    what: &'static str,
    names: Vec<&'a str>,
}

impl Bits<'_> {
    fn of(&self, names: &[String]) -> Result<u32, String> {
        names.iter().try_fold(0, |bits, name| {
            let place = self.names.iter().position(|found| found == name);
            let place = place.ok_or_else(|| format!("`{name}` is no {}", self.what))?;
            Ok(bits | 1 << place)
        })
    }
}

pub(super) fn read(raw: RulesFile, hash: ContentHash, kinds: &KindSet) -> Result<Rules, Wrong> {
    if raw.version == 0 {
        return Err("the version begins at 1").at("version");
    }
    let needs = Bits { what: "need", names: raw.needs.iter().map(|need| need.name.as_str()).collect() };
    let stages = Bits { what: "stage", names: raw.stage.stages.iter().map(|stage| stage.name.as_str()).collect() };
    if needs.names.len() > 32 || stages.names.len() > 16 {
        return Err("there are at most 32 needs and 16 stages").at("need and stage");
    }
    let scale = read_scale(&raw)?;
    let industry_words = raw.industry_words.iter().map(|row| Ok((row.words.clone(), industries(&row.codes)?)));
    let industry_words = industry_words.collect::<Result<Vec<_>, String>>().at("industry_word")?;
    let stage_words = raw.stage_words.iter().map(|row| Ok((row.words.clone(), stages.of(&row.stages)? as u16)));
    let stage_words = stage_words.collect::<Result<Vec<_>, String>>().at("stage_word")?;
    let need_words = raw.need_words.iter().map(|row| Ok((row.words.clone(), needs.of(&row.needs)?)));
    let need_words = need_words.collect::<Result<Vec<_>, String>>().at("need_word")?;
    let purposes = raw.purposes.iter().map(|row| Ok((row.words.clone(), sections(&row.sections)?)));
    let purposes = purposes.collect::<Result<Vec<_>, String>>().at("purpose")?;
    let (form_words, form_groups, form_names) = read_forms(&raw)?;
    let regions = raw.named_regions.iter().map(|region| (region.names.clone(), region.codes.clone())).collect();
    let mut rules = Rules {
        version: raw.version,
        hash,
        scale,
        regions: Regions::new(regions).at("named_region")?,
        generic_words: plain(&raw.generic_words).at("generic_words")?,
        industry_words: table(industry_words).at("industry_word")?,
        stage_words: table(stage_words).at("stage_word")?,
        form_words,
        need_words: table(need_words).at("need_word")?,
        purpose_words: table(purposes).at("purpose")?,
        not_industry: plain(&raw.ruling.not_industry).at("ruling.not_industry")?,
        only_region: plain(&raw.ruling.only_region).at("ruling.only_region")?,
        sharing_words: plain(&raw.sharing.words).at("sharing.words")?,
        place_need: needs.of(&raw.sharing.landing).at("sharing.landing")?,
        wide_words: plain(&raw.ruling.wide).at("ruling.wide")?,
        ready_words: table(ready_words(&raw)).at("ready_word")?,
        noted_energy: plain(&raw.noted.energy).at("noted.energy")?,
        noted_discharge: plain(&raw.noted.discharge).at("noted.discharge")?,
        neighbours: neighbours(&raw).at("neighbours")?,
        form_groups,
        form_names,
        stage_names: raw.stage.stages.iter().map(|stage| (stage.zh.clone(), stage.en.clone())).collect(),
        need_names: raw.needs.iter().map(|need| (need.name.clone(), need.zh.clone(), need.en.clone())).collect(),
        kinds: BTreeMap::new(),
        pairs: BTreeMap::new(),
    };
    for (name, raw) in &raw.kind {
        let place = format!("kind {name}");
        let kind = kinds.kind_named(name).filter(|kind| kind.name() == name);
        let kind = kind.ok_or("there is no such kind").at(&place)?;
        let reader = KindReader { kind, needs: &needs, forms: &rules.form_names };
        let read = reader.read(raw).at(&place)?;
        rules.kinds.insert(kind.number(), read);
    }
    for pair in &raw.pairs {
        add_pair(&mut rules, pair, kinds)?;
    }
    match rules.kinds.keys().find(|kind| rules.partners(**kind).is_empty()) {
        Some(alone) => Err("no pair names it").at(&format!("kind {alone}")),
        None => Ok(rules),
    }
}

fn ready_words(raw: &RulesFile) -> Vec<(Vec<String>, u16)> {
    raw.ready_words.iter().map(|row| (row.words.clone(), row.value.min(1_000))).collect()
}

/// Provinces by their first two digits, with those that border on each as bits.
fn neighbours(raw: &RulesFile) -> Result<Vec<u128>, String> {
    let divisions = crate::kind::codes::table(crate::kind::codes::DIVISIONS);
    let province = |code: &String| {
        let known = code.len() == 2 && divisions.is_some_and(|table| table.contains(&format!("{code}0000")));
        code.parse::<usize>().ok().filter(|_| known).ok_or_else(|| format!("`{code}` is no province"))
    };
    let mut found = vec![0; PROVINCE_CODES];
    for (one, others) in &raw.neighbours {
        let one = province(one)?;
        for other in others {
            let other = province(other)?;
            found[one] |= 1 << other;
            found[other] |= 1 << one;
        }
    }
    Ok(found)
}

fn table<T: Clone>(rows: Vec<(Vec<String>, T)>) -> Result<WordTable<T>, String> {
    let words =
        rows.into_iter().flat_map(|(words, meaning)| words.into_iter().map(move |word| (word, meaning.clone())));
    WordTable::new(words.collect())
}

fn plain(words: &[String]) -> Result<WordTable<()>, String> {
    WordTable::new(words.iter().map(|word| (word.clone(), ())).collect())
}

fn industries(codes: &[String]) -> Result<Vec<Industry>, String> {
    let table = crate::kind::codes::table(crate::kind::codes::INDUSTRIES);
    let industry = |code: &String| {
        let known = table.is_some_and(|table| table.contains(code));
        Industry::parse(code).filter(|_| known).ok_or_else(|| format!("`{code}` is no industry"))
    };
    codes.iter().map(industry).collect()
}

fn sections(letters: &[String]) -> Result<u32, String> {
    Ok(industries(letters)?.into_iter().map(section_bit).fold(0, |bits, bit| bits | bit))
}

/// Words of forms, groups of forms with their bits, and names.
type Forms = (WordTable<u32>, Vec<(String, u32)>, Vec<String>);

fn read_forms(raw: &RulesFile) -> Result<Forms, Wrong> {
    let (mut words, mut groups, mut names) = (Vec::new(), Vec::new(), Vec::new());
    for form in &raw.forms {
        let mut bits = 0;
        for (name, of_form) in &form.words {
            if names.len() >= 32 {
                return Err("there are at most 32 forms").at("form");
            }
            let bit = 1 << names.len();
            bits |= bit;
            names.push(name.clone());
            words.push((of_form.clone(), bit));
        }
        groups.push((form.group.clone(), bits));
    }
    Ok((table(words).at("form")?, groups, names))
}

fn read_scale(raw: &RulesFile) -> Result<Scale, Wrong> {
    let mut unknown = [0; Dimension::COUNT];
    for (name, value) in &raw.unknown {
        let dimension = Dimension::from_name(name).filter(|dimension| dimension.can_be_unknown());
        let dimension =
            dimension.ok_or_else(|| format!("`{name}` is no dimension that can be unknown")).at("unknown")?;
        unknown[dimension.index()] = *value;
    }
    let RegionFile { here, .. } = &raw.region;
    let region = &raw.region;
    let (covers, shares) = (&raw.industry.covers, &raw.industry.shares);
    let scale = Scale {
        about: raw.figures.about,
        unknown,
        covers: [covers.section, covers.division, covers.group, covers.class],
        shares: [shares.section, shares.division, shares.group],
        by_words: raw.industry.by_words,
        near: [region.other, region.neighbour, region.same_province, region.same_prefecture, region.same_county],
        here: [here.other, here.neighbour, here.same_province, here.same_prefecture, here.same_county],
        wanted: [
            region.unwanted,
            region.wanted_named,
            region.wanted_province,
            region.wanted_prefecture,
            region.wanted_county,
        ],
        size_share: raw.size.share,
        size_share_whole: raw.size.share_whole,
        project_steps: raw.size.project_steps.clone(),
        project_larger: raw.size.project_larger,
        size_least: raw.size.least,
        land_steps: raw.land.steps.clone(),
        land_larger: raw.land.larger,
        land_barely: raw.land.barely,
        energy_short: raw.energy.short,
        text_full: raw.text.full,
        text_least_pairs: raw.text.least_pairs,
        ample_days: raw.timing.ample_days,
        timing_last: raw.timing.last,
        wait_steps: raw.timing.wait_steps.clone(),
        wait_longer: raw.timing.wait_longer,
        late_steps: raw.timing.late_steps.clone(),
        late_longer: raw.timing.late_longer,
        need_direct: raw.need_value.direct,
        need_assisting: raw.need_value.assisting,
        freshness_steps: raw.freshness.steps.clone(),
        freshness_older: raw.freshness.older,
        stage_near: raw.stage.near,
    };
    check_scale(&scale)?;
    Ok(scale)
}

/// Every value is a permille; steps rise.
fn check_scale(scale: &Scale) -> Result<(), Wrong> {
    let values = [&scale.unknown[..], &scale.covers, &scale.shares, &scale.near, &scale.here, &scale.wanted].concat();
    let singles = [
        scale.about,
        scale.by_words,
        scale.size_share,
        scale.size_share_whole,
        scale.size_least,
        scale.land_larger,
        scale.land_barely,
        scale.energy_short,
        scale.text_full,
        scale.timing_last,
        scale.project_larger,
        scale.wait_longer,
        scale.late_longer,
        scale.need_direct,
        scale.need_assisting,
        scale.freshness_older,
        scale.stage_near,
    ];
    if let Some(value) = values.iter().chain(&singles).find(|value| **value > 1_000) {
        return Err(format!("{value} is above 1000 permille")).at("values");
    }
    if scale.size_share == 0 || scale.text_full == 0 || scale.ample_days == 0 {
        return Err("size.share, text.full and timing.ample_days are above 0").at("values");
    }
    for (place, steps) in [
        ("land.steps", &scale.land_steps),
        ("freshness.steps", &scale.freshness_steps),
        ("size.project_steps", &scale.project_steps),
        ("timing.wait_steps", &scale.wait_steps),
        ("timing.late_steps", &scale.late_steps),
    ] {
        let rising = steps.windows(2).all(|pair| pair[0][0] < pair[1][0]);
        if !rising || steps.iter().any(|step| step[1] > 1_000) {
            return Err("steps rise and hold permille").at(place);
        }
    }
    Ok(())
}

fn add_pair(rules: &mut Rules, raw: &PairFile, kinds: &KindSet) -> Result<(), Wrong> {
    let place = format!("pair {} and {}", raw.left, raw.right.join(", "));
    let number = |name: &String| {
        let kind =
            kinds.kind_named(name).filter(|kind| kind.name() == name && rules.kinds.contains_key(&kind.number()));
        kind.map(Kind::number).ok_or_else(|| format!("`{name}` is no kind of these rules"))
    };
    let mut weights = [0; Dimension::COUNT];
    for (name, weight) in &raw.weights {
        let dimension = Dimension::from_name(name).ok_or_else(|| format!("`{name}` is no dimension")).at(&place)?;
        weights[dimension.index()] = *weight;
    }
    let total: u32 = weights.iter().copied().map(u32::from).sum();
    if total == 0 {
        return Err("no dimension has a weight").at(&place);
    }
    let here = match raw.region.as_deref() {
        None => false,
        Some("here") => true,
        Some(other) => return Err(format!("region `{other}` is not `here`")).at(&place),
    };
    let left = number(&raw.left).at(&place)?;
    for name in &raw.right {
        let right = number(name).at(&place)?;
        if left == right {
            return Err("a kind is not compared with itself").at(&place);
        }
        let known = rules.pairs.contains_key(&(left, right)) || rules.pairs.contains_key(&(right, left));
        if known {
            return Err(format!("`{name}` is compared with it already")).at(&place);
        }
        rules.pairs.insert((left, right), Pair { weights, total, here });
    }
    Ok(())
}

/// Reads what is said of one kind.
struct KindReader<'a> {
    kind: &'a Kind,
    needs: &'a Bits<'a>,
    forms: &'a [String],
}

impl KindReader<'_> {
    fn read(&self, raw: &KindFile) -> Result<KindRules, String> {
        let mut read = KindRules {
            fixed: Meaning {
                seeks: self.needs.of(&raw.seeks)?,
                offers: self.needs.of(&raw.offers)?,
                assists: self.needs.of(&raw.assists)?,
                by_title: false,
            },
            title: self.kind.title_field().number,
            industry_codes: self.all(&raw.industry_codes, is_code)?,
            industry_words: self.all(&raw.industry_words, is_text)?,
            industry_title: raw.industry_title,
            division: self.one(&raw.division, is_code)?,
            place: self.all(&raw.place, is_text)?,
            located: self.all(&raw.located, is_text)?,
            wanted: self.all(&raw.wanted, is_text)?,
            wanted_codes: self.one(&raw.wanted_codes, is_code)?,
            amount_is: amount_is(raw.amount_is.as_deref())?,
            amount_less: self.one(&raw.amount_less, is_money)?,
            soft_limit: raw.soft_limit,
            stages: self.all(&raw.stages, is_text)?,
            forms: self.all(&raw.forms, is_text)?,
            forms_given: Bits { what: "form", names: self.forms.iter().map(String::as_str).collect() }
                .of(&raw.forms_given)?,
            valid_until: self.all(&raw.valid_until, is_date)?,
            available_from: self.one(&raw.available_from, is_date)?,
            texts: self.all(&raw.texts, is_text)?,
            ruling: self.all(&raw.ruling, is_text)?,
            closed: self.states(&raw.closed)?,
            wanted_only: raw.wanted_only,
            wide_texts: self.all(&raw.wide_texts, is_text)?,
            noted: self.all(&raw.noted, is_text)?,
            named_texts: self.all(&raw.named_texts, |_| true)?,
            category: self.one(&raw.category, is_text)?,
            keeps_plan: self.all(&raw.keeps_plan, is_boolean)?,
            purpose: self.one(&raw.purpose, is_text)?,
            shared: self.one(&raw.shared, is_boolean)?,
            ..KindRules::default()
        };
        if !raw.closed_words.is_empty() {
            read.closed_words = Some(plain(&raw.closed_words)?);
        }
        if let Some(unless) = &raw.division_unless {
            read.division_unless = Some((self.field(&unless.field, is_text)?, plain(&unless.words)?));
        }
        for (state, value) in &raw.ready {
            let place = self.states(std::slice::from_ref(state))?;
            read.ready.extend(place.into_iter().map(|place| (place, (*value).min(1_000))));
        }
        if let Some(only) = &raw.only_wanted {
            read.only_wanted = Some((self.field(&only.field, is_text)?, normal(&only.is)));
        }
        self.read_figures(raw, &mut read)?;
        self.read_meanings(raw, &mut read)?;
        Ok(read)
    }

    fn read_figures(&self, raw: &KindFile, read: &mut KindRules) -> Result<(), String> {
        /// A figure, the fields that it stands in, and what they must be.
        type Wanted<'a> = (Slot, [&'a Option<String>; 2], fn(&Field) -> bool);
        let figures: [Wanted<'_>; 10] = [
            (Slot::Amount, [&raw.amount, &None], is_money),
            (Slot::TicketMax, [&raw.ticket_max, &None], is_money),
            (Slot::Capacity, [&raw.capacity, &raw.capacity_else], is_money),
            (Slot::Area, [&raw.area, &None], is_quantity),
            (Slot::Floor, [&raw.floor, &raw.floor_else], is_quantity),
            (Slot::Intensity, [&raw.least_intensity, &None], is_quantity),
            (Slot::Output, [&raw.least_output, &None], is_quantity),
            (Slot::Tax, [&raw.least_tax, &None], is_quantity),
            (Slot::Energy, [&raw.energy, &None], is_quantity),
            (Slot::Discharge, [&raw.discharge, &None], is_quantity),
        ];
        for (slot, names, fits) in figures {
            let fields = names.into_iter().flatten().map(|name| self.field(name, fits));
            let fields = fields.collect::<Result<Vec<_>, _>>()?;
            fields.iter().try_for_each(|field| self.check_unit(*field, slot))?;
            if !fields.is_empty() {
                read.figures.push((slot, fields));
            }
        }
        if let Some(quantity) = &raw.quantity {
            read.quantity = Some((self.field(&quantity.figure, is_number)?, self.field(&quantity.unit, is_text)?));
        }
        for (slot, ratio) in [(Slot::Intensity, &raw.intensity), (Slot::Output, &raw.output), (Slot::Tax, &raw.tax)] {
            if let Some(RatioFile { amount, area, unless_seeks }) = ratio {
                let (amount, area) = (self.field(amount, is_money)?, self.field(area, is_quantity)?);
                let unless_seeks = self.needs.of(&unless_seeks.iter().cloned().collect::<Vec<_>>())?;
                read.ratios.push((slot, Ratio { amount, area, unless_seeks }));
            }
        }
        if raw.amount.is_some() && read.amount_is == AmountIs::Nothing {
            return Err("`amount` needs `amount_is`".to_owned());
        }
        Ok(())
    }

    /// What a field measures is what the rules take it for.
    fn check_unit(&self, field: u16, slot: Slot) -> Result<(), String> {
        let Some(field) = self.kind.field(field).filter(|field| is_quantity(field)) else { return Ok(()) };
        let per_mu = matches!(slot, Slot::Output | Slot::Tax);
        let wanted = if per_mu { Slot::Intensity } else { slot };
        let measured = field.unit().and_then(crate::matching::measure::unit).map(|unit| unit.slot);
        match measured == Some(wanted) {
            true => Ok(()),
            false => Err(format!("field `{}`: its unit does not measure that", field.name)),
        }
    }

    fn read_meanings(&self, raw: &KindFile, read: &mut KindRules) -> Result<(), String> {
        if raw.words.is_empty() == raw.category.is_some() {
            return Err("`category` and `words` go together".to_owned());
        }
        for (word, meaning) in &raw.words {
            if read.words.insert(normal(word), self.meaning(meaning)?).is_some() {
                return Err(format!("the word `{word}` stands twice"));
            }
        }
        for (state, meaning) in &raw.states {
            let place = self.states(std::slice::from_ref(state))?;
            let meaning = self.meaning(meaning)?;
            read.states.extend(place.into_iter().map(|place| (place, meaning)));
        }
        for implied in &raw.implied {
            let field = self.field(&implied.field, |_| true)?;
            read.implied.push((field, self.needs.of(&implied.seeks)?));
        }
        Ok(())
    }

    fn meaning(&self, raw: &MeaningFile) -> Result<Meaning, String> {
        Ok(Meaning {
            seeks: self.needs.of(&raw.seeks)?,
            offers: self.needs.of(&raw.offers)?,
            assists: self.needs.of(&raw.assists)?,
            by_title: raw.by_title,
        })
    }

    fn states(&self, names: &[String]) -> Result<Vec<usize>, String> {
        let states = self.kind.lifecycle().map(Lifecycle::states).unwrap_or_default();
        let place = |name: &String| states.iter().position(|state| state.name == *name);
        names.iter().map(|name| place(name).ok_or_else(|| format!("`{name}` is no state"))).collect()
    }

    fn all(&self, names: &[String], fits: fn(&Field) -> bool) -> Result<Vec<u16>, String> {
        names.iter().map(|name| self.field(name, fits)).collect()
    }

    fn one(&self, name: &Option<String>, fits: fn(&Field) -> bool) -> Result<Option<u16>, String> {
        name.as_ref().map(|name| self.field(name, fits)).transpose()
    }

    /// A field that all members read; others could not be looked at.
    fn field(&self, name: &str, fits: fn(&Field) -> bool) -> Result<u16, String> {
        let field = self.kind.fields().find(|field| field.name == name);
        let field = field.ok_or_else(|| format!("field `{name}`: there is no such field"))?;
        match field {
            _ if field.readers != Readers::All => Err(format!("field `{name}`: not all members read it")),
            _ if !fits(field) => Err(format!("field `{name}`: a {} does not speak of that", field.type_name())),
            _ => Ok(field.number),
        }
    }
}

fn amount_is(text: Option<&str>) -> Result<AmountIs, String> {
    match text {
        None => Ok(AmountIs::Nothing),
        Some("ask") => Ok(AmountIs::Ask),
        Some("total") => Ok(AmountIs::Total),
        Some("budget") => Ok(AmountIs::Budget),
        Some("ticket") => Ok(AmountIs::Ticket),
        Some(other) => Err(format!("amount_is `{other}` is none of ask, total, budget and ticket")),
    }
}

fn is_text(field: &Field) -> bool {
    matches!(field.field_type, FieldType::Text | FieldType::Choice { .. })
}

fn is_code(field: &Field) -> bool {
    matches!(field.field_type, FieldType::Code { .. })
}

fn is_date(field: &Field) -> bool {
    matches!(field.field_type, FieldType::Date)
}

fn is_boolean(field: &Field) -> bool {
    matches!(field.field_type, FieldType::Boolean)
}

fn is_money(field: &Field) -> bool {
    matches!(field.field_type, FieldType::Money { .. })
}

fn is_quantity(field: &Field) -> bool {
    matches!(field.field_type, FieldType::Quantity { .. }) && field.unit().is_some_and(known_unit)
}

fn is_number(field: &Field) -> bool {
    matches!(field.field_type, FieldType::Decimal)
}

fn known_unit(unit: &str) -> bool {
    crate::matching::measure::unit(unit).is_some()
}
