//! The extension `network`: IP addresses and their ranges.

use std::net::IpAddr;

use super::{Entry, constant, wrong};
use crate::eval::Meter;
use crate::value::{EvalCode, Fault, Outcome, Value};

pub(super) const TABLE: &[Entry] = &[
    constant("ip(string): net.IP", ip),
    constant("ip(net.IP): net.IP", ip),
    constant("net.CIDR::ip(): net.IP", address_of),
    constant("isIP(string): bool", is_ip),
    constant("ip.isCanonical(string): bool", is_canonical),
    constant("net.IP::family(): int", family),
    constant("net.IP::isUnspecified(): bool", is_unspecified),
    constant("net.IP::isLoopback(): bool", is_loopback),
    constant("net.IP::isGlobalUnicast(): bool", is_global_unicast),
    constant("net.IP::isLinkLocalMulticast(): bool", is_link_local_multicast),
    constant("net.IP::isLinkLocalUnicast(): bool", is_link_local_unicast),
    constant("cidr(string): net.CIDR", cidr),
    constant("cidr(net.CIDR): net.CIDR", cidr),
    constant("isCIDR(string): bool", is_cidr),
    constant("net.CIDR::containsIP(net.IP): bool", contains_ip),
    constant("net.CIDR::containsIP(string): bool", contains_ip),
    constant("net.CIDR::containsCIDR(net.CIDR): bool", contains_cidr),
    constant("net.CIDR::containsCIDR(string): bool", contains_cidr),
    constant("net.CIDR::masked(): net.CIDR", masked),
    constant("net.CIDR::prefixLength(): int", prefix_length),
];

fn fault(message: String) -> Fault {
    Fault::error(EvalCode::InvalidArgument, message)
}

fn head(text: &str) -> String {
    text.chars().take(60).collect()
}

fn parse_ip(text: &str) -> Result<IpAddr, Fault> {
    let shown = || head(text);
    if text.contains('%') {
        return Err(fault(format!("IP Address with zone value is not allowed: `{}`", shown())));
    }
    if text.contains(':') && text.contains('.') {
        return Err(fault(format!("IPv4-mapped IPv6 address is not allowed: `{}`", shown())));
    }
    text.parse()
        .map_err(|_| fault(format!("IP Address '{}' parse error during conversion from string", shown())))
}

fn parse_cidr(text: &str) -> Result<(IpAddr, u8), Fault> {
    let wrong =
        || fault(format!("network address parse error during conversion from string: `{}`", head(text)));
    let (address, prefix) = text.split_once('/').ok_or_else(wrong)?;
    if address.contains('%') {
        return Err(fault(format!("CIDR with zone value is not allowed: `{}`", head(text))));
    }
    let address = parse_ip(address)?;
    let digits =
        prefix.bytes().all(|byte| byte.is_ascii_digit()) && (prefix == "0" || !prefix.starts_with('0'));
    let prefix =
        prefix.parse().ok().filter(|prefix| digits && *prefix <= width(address)).ok_or_else(wrong)?;
    Ok((address, prefix))
}

const fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address as a number, with its first bit in front.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn prefix_bits(address: IpAddr, prefix: u8) -> u128 {
    bits(address) & u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)
}

fn covers(network: (IpAddr, u8), address: IpAddr) -> bool {
    network.0.is_ipv4() == address.is_ipv4()
        && prefix_bits(network.0, network.1) == prefix_bits(address, network.1)
}

fn ip<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text)] => parse_ip(text).map(Value::Ip),
        [Value::Ip(address)] => Ok(Value::Ip(*address)),
        _ => wrong("ip", args),
    }
}

fn address_of<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Cidr(address, _)] => Ok(Value::Ip(*address)),
        _ => wrong("ip", args),
    }
}

fn is_ip<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text)] => Ok(Value::Bool(parse_ip(text).is_ok())),
        _ => wrong("isIP", args),
    }
}

fn is_canonical<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text)] => Ok(Value::Bool(parse_ip(text)?.to_string() == **text)),
        _ => wrong("ip.isCanonical", args),
    }
}

/// A property of an address; an IPv4 address inside IPv6 counts as IPv4.
fn property<'a>(name: &str, args: &[Value<'a>], holds: impl Fn(IpAddr) -> bool) -> Outcome<'a> {
    match args {
        [Value::Ip(address)] => Ok(Value::Bool(holds(address.to_canonical()))),
        _ => wrong(name, args),
    }
}

fn family<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Ip(address)] => Ok(Value::Int(if address.is_ipv4() { 4 } else { 6 })),
        _ => wrong("family", args),
    }
}

fn is_unspecified<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    property("isUnspecified", args, |address| address.is_unspecified())
}

fn is_loopback<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    property("isLoopback", args, |address| address.is_loopback())
}

fn is_global_unicast<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    property("isGlobalUnicast", args, |address| {
        let is_broadcast = matches!(address, IpAddr::V4(address) if address.is_broadcast());
        !is_broadcast
            && !address.is_unspecified()
            && !address.is_loopback()
            && !address.is_multicast()
            && !link_local_unicast(address)
    })
}

fn is_link_local_multicast<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    property("isLinkLocalMulticast", args, |address| match address {
        IpAddr::V4(address) => matches!(address.octets(), [224, 0, 0, _]),
        IpAddr::V6(address) => matches!(address.octets(), [0xff, flags, ..] if flags & 0x0f == 2),
    })
}

fn is_link_local_unicast<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    property("isLinkLocalUnicast", args, link_local_unicast)
}

fn link_local_unicast(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

fn cidr<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text)] => parse_cidr(text).map(|(address, prefix)| Value::Cidr(address, prefix)),
        [Value::Cidr(address, prefix)] => Ok(Value::Cidr(*address, *prefix)),
        _ => wrong("cidr", args),
    }
}

fn is_cidr<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::String(text)] => Ok(Value::Bool(parse_cidr(text).is_ok())),
        _ => wrong("isCIDR", args),
    }
}

fn contains_ip<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let (network, address) = match args {
        [Value::Cidr(address, prefix), Value::Ip(other)] => ((*address, *prefix), *other),
        [Value::Cidr(address, prefix), Value::String(text)] => ((*address, *prefix), parse_ip(text)?),
        _ => return wrong("containsIP", args),
    };
    Ok(Value::Bool(covers(network, address)))
}

fn contains_cidr<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let (network, other) = match args {
        [Value::Cidr(address, prefix), Value::Cidr(other, length)] => {
            ((*address, *prefix), (*other, *length))
        }
        [Value::Cidr(address, prefix), Value::String(text)] => ((*address, *prefix), parse_cidr(text)?),
        _ => return wrong("containsCIDR", args),
    };
    Ok(Value::Bool(network.1 <= other.1 && covers(network, other.0)))
}

fn masked<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    let [Value::Cidr(address, prefix)] = args else { return wrong("masked", args) };
    let bits = prefix_bits(*address, *prefix);
    let address = match address {
        IpAddr::V4(_) => IpAddr::V4(u32::try_from(bits >> 96).unwrap_or(0).into()),
        IpAddr::V6(_) => IpAddr::V6(bits.into()),
    };
    Ok(Value::Cidr(address, *prefix))
}

fn prefix_length<'a>(args: &[Value<'a>], _: &Meter) -> Outcome<'a> {
    match args {
        [Value::Cidr(_, prefix)] => Ok(Value::Int(i64::from(*prefix))),
        _ => wrong("prefixLength", args),
    }
}
