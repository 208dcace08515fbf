use comptoir_types::ErrorCode;

use super::*;

fn refused(text: &str) -> String {
    VoucherTemplate::from_yaml(text).unwrap_err().to_string()
}

const HEAD: &str = "version: 1\nname: t\ninventory: { '*': '1405' }\n";

#[test]
fn presets_are_valid_and_survive_both_forms() {
    for name in ["ifrs", "cas"] {
        let template = VoucherTemplate::preset(name).unwrap();
        let json = serde_json::to_string(&template).unwrap();
        assert_eq!(VoucherTemplate::from_json(&json).unwrap(), template);
        let yaml = serde_yaml_ng::to_string(&template).unwrap();
        assert_eq!(VoucherTemplate::from_yaml(&yaml).unwrap(), template);
    }
    let error = VoucherTemplate::preset("gaap").unwrap_err();
    assert_eq!(error.to_string(), "voucher template: preset: `gaap` is unknown; use ifrs or cas");
    assert_eq!(VoucherTemplate::cas().unwrap().inventory_accounts(), ["1403", "1405"]);
}

#[test]
fn a_field_takes_one_name_or_a_list() {
    let text = format!(
        "{HEAD}rules:\n  - kind: receipt\n    reason: [settled, late_cost]\n    value: {{debit: a, credit: b}}"
    );
    let template = VoucherTemplate::from_yaml(&text).unwrap();
    let rule = template.rules.first().unwrap();
    assert_eq!(rule.kind, [Kind::Receipt]);
    assert_eq!(rule.reason, [Reason::Settled, Reason::LateCost]);
}

#[test]
fn errors_name_the_field() {
    let rules = |rule: &str| refused(&format!("{HEAD}rules: [{rule}]"));
    assert_eq!(
        rules("{kind: sale, value: {debit: a, credit: b}}").split(", expected").next(),
        Some("voucher template: `rules[0].kind`: unknown variant `sale`")
    );
    assert!(rules("{knd: issue}").contains("unknown field `knd`"));
    assert!(rules("{kind: [], value: {debit: a, credit: b}}").contains("an empty list"));
    assert_eq!(
        rules("{kind: issue}"),
        "voucher template: rule 1: has no accounts: neither for the value nor for another part"
    );
    assert_eq!(
        rules("{value: {debit: a, credit: a}}"),
        "voucher template: rule 1: debits and credits one account, `a`"
    );
    assert_eq!(
        rules("{value: {debit: '@stock', credit: a}}"),
        "voucher template: rule 1: `@stock` is no account"
    );
    assert!(
        refused("version: 2\nname: t\ninventory: {'*': a}\nrules: []").contains("version: `2` is unknown")
    );
    assert!(refused("version: 1\nname: t\ninventory: {}\nrules: []").contains("inventory: names no account"));
    let untitled = format!(
        "{HEAD}accounts: {{'1405': stock}}\nrules: [{{value: {{debit: '@inventory', credit: '22O2'}}}}]"
    );
    assert_eq!(refused(&untitled), "voucher template: rule 1: account `22O2` has no title in `accounts`");
    assert_eq!(VoucherTemplate::from_json("{").unwrap_err().code(), "COSTING_TEMPLATE_SYNTAX");
}
