//! The toolkit of a county (F025), and land for an industry (F022).

use harness::node::{WAIT, wait_equal};
use harness::program::sample;
use serde_json::json;

use super::{COUNTY, OTHER, federation, import, texts, with_file};

/// The libraries of persons, which never leave their county.
const OF_PERSONS: [&str; 3] = ["企业家资源库", "高校校友资源库", "乡情资源库"];

#[test]
fn a_county_sees_its_whole_toolkit_and_others_what_may_leave_it() {
    let line = federation();
    let (county, other) = (&line.nodes[COUNTY], &line.nodes[OTHER]);
    let empty = county.run(&["toolkit", "500236"]).ok();
    assert_eq!((&empty["have"], &empty["of"]), (&json!(0), &json!(14)));
    let resources = sample("resources.csv");
    import(county, &resources, &["--only", "成员编号=XY001"]).ok();
    let county_sees = county.run(&["toolkit", "500236"]).ok();
    assert_eq!((&county_sees["have"], &county_sees["missing"]), (&json!(11), &json!(OF_PERSONS)));

    // Two of the libraries are contacts, and one is kept as it stands in the sheet.
    for (name, category) in [("甲某", "企业家"), ("乙某", "高校校友")] {
        county.run(&["local", "add", &format!("姓名={name}"), &format!("联系人类别={category}")]).ok();
    }
    assert_eq!(county.run(&["toolkit", "500236"]).ok()["missing"], json!(["乡情资源库"]));
    with_file(county, &["local", "import"], &resources, &["--kind", "resource"]).ok();
    let whole = county.run(&["toolkit", "500236"]).ok();
    assert_eq!((&whole["have"], &whole["missing"], &whole["own_node"]), (&json!(14), &json!([]), &json!(true)));

    wait_equal(&[county, other], WAIT);
    let seen = other.run(&["toolkit", "500236"]).ok();
    assert_eq!((&seen["have"], &seen["missing"], &seen["own_node"]), (&json!(11), &json!(OF_PERSONS), &json!(false)));
    assert_eq!(other.run(&["toolkit", "411426"]).ok()["have"], 0, "another county has another toolkit");
    assert_eq!(other.run(&["toolkit", "奉节"]).code, 5, "no code");
}

#[test]
fn land_is_found_by_industry_and_area() {
    let line = federation();
    let county = &line.nodes[OTHER];
    import(county, &sample("resources.csv"), &["--only", "成员编号=XY002"]).ok();
    let parcel = |number: &str, area: &str, demand: &str| {
        let own = [format!("地块编号={number}"), format!("地块名称={number}"), format!("面积={area}")];
        let words = [
            "土地用途=工业用地",
            "行业代码=3841",
            "符合国土空间规划=是",
            "符合“三区三线”=是",
            "土地状态=储备",
            "说明=紧邻高速出口",
        ];
        let (demand, kind) = (format!("最低投资强度={demand}"), ["publish", "--kind", "land_parcel", "--wait", "0"]);
        let own: Vec<&str> = own.iter().map(String::as_str).chain([demand.as_str()]).collect();
        county.run(&[&kind[..], &words[..], &own[..]].concat()).ok();
    };
    parcel("DK01", "500", "300");
    parcel("DK02", "600", "800");
    parcel("DK03", "100", "300");
    county.run(&["revise", "DK01", "拿地即开工=是", "几通一平=七通一平"]).ok();

    let reader = &line.nodes[COUNTY];
    wait_equal(&[county, reader], WAIT);
    let found = |more: &[&str]| {
        let asked = [&["land", "find", "--industry", "3841", "--min-mu", "400"], more].concat();
        let answer = reader.run(&asked).ok();
        let mut found: Vec<String> = texts(&answer["records"], "external").iter().map(ToString::to_string).collect();
        found.sort();
        found
    };
    assert_eq!(found(&[]), ["DK01", "DK02", "ZY030", "ZY031"], "the plots of 3,000 and of 476 mu, and the parcels");
    assert_eq!(found(&["--max-mu", "1000"]), ["DK01", "DK02", "ZY031"]);
    // A resource does not say what it demands: it may fit.
    assert_eq!(found(&["--max-intensity", "500"]), ["DK01", "ZY030", "ZY031"]);
    assert_eq!(found(&["--ready"]), ["DK01"], "the others do not say that they are");
    let refused = reader.run(&["land", "find", "--min-mu", "许多"]);
    assert!(refused.code != 0 && refused.errors.contains("许多"), "{}", refused.errors);
}
