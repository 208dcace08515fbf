//! Sets, patterns, text functions and other calls.

use std::sync::Arc;

use regex::Regex;

use super::bits::Bits;
use super::frame::Frame;
use super::functions::number_call;
use super::kernel::with_nulls;
use super::pattern::Pattern;
use super::rare::Rare;
use super::text_set::TextSet;
use super::vector::{TextLanes, Truth, Vector};
use super::walk::Walk;
use crate::eval::{Inputs, Machine, holds, regex_cost};
use crate::ir::{LiteralSet, NodeId};
use crate::syntax::BinaryOp;
use crate::types::Overload;
use crate::value::{Fault, Value};

/// Units of a walk over so many bytes.
const fn tenth(length: usize) -> u64 {
    (length / 10) as u64
}

impl<'a> Walk<'a> {
    /// A relation of texts.
    pub(super) fn compare_texts(
        &self,
        op: BinaryOp,
        left: &Vector<'a>,
        right: &Vector<'a>,
        count: usize,
        mask: &Bits,
    ) -> Option<Truth> {
        match (left, right) {
            (Vector::Text(left), Vector::Const(Value::String(wanted))) => {
                self.charge(tenth(left.longest(count)));
                let rows = mask.without(&left.null).without(&left.fault);
                let is = match op {
                    BinaryOp::Equal => left.equal(wanted, &rows),
                    BinaryOp::NotEqual => rows.minus(left.equal(wanted, &rows)),
                    _ => left.test(&rows, |text| holds(op, text.cmp(wanted))),
                };
                Some(with_nulls(op, is, (&left.null, &Rare::NONE), left.fault.clone()))
            }
            (Vector::Text(left), Vector::Text(right)) => {
                self.charge(tenth(left.longest(count)));
                let flaws = left.null.or(&left.fault).or(&right.null).or(&right.fault);
                let rows = mask.without(&flaws);
                let is = rows.filter(|row| holds(op, left.get(row).cmp(right.get(row))));
                Some(with_nulls(op, is, (&left.null, &right.null), left.fault.or(&right.fault)))
            }
            _ => None,
        }
    }

    /// `in` with literals.
    #[inline(never)]
    pub(super) fn in_set(
        &self,
        operand: &Vector<'a>,
        set: &LiteralSet,
        texts: Option<&TextSet>,
        mask: &Bits,
    ) -> Truth {
        if let (Vector::Text(own), Some(texts)) = (operand, texts) {
            // Null is in no set of texts.
            let rows = mask.without(&own.null).without(&own.fault);
            return Truth { is: own.in_set(texts, &rows), fault: own.fault.clone() };
        }
        let mut fault = Bits::NONE;
        let is = mask.filter(|row| match operand.get(row) {
            Some(value) => set.contains(&value),
            None => {
                fault.set(row);
                false
            }
        });
        Truth { is, fault: fault.into() }
    }

    /// `matches` with a pattern that is known.
    #[inline(never)]
    pub(super) fn matches(
        &self,
        operand: &Vector<'a>,
        regex: &Regex,
        pattern: Option<&Pattern>,
        count: usize,
        mask: &Bits,
    ) -> Truth {
        if let Vector::Text(own) = operand {
            self.charge(regex_cost(own.longest(count), regex.as_str().len()));
            let fault = own.fault.or(&own.null);
            let rows = mask.without(&fault);
            let is = match pattern {
                Some(pattern) => own.test(&rows, |text| pattern.is_match(text, regex)),
                None => own.test(&rows, |text| regex.is_match(text)),
            };
            return Truth { is, fault };
        }
        let mut fault = Bits::NONE;
        let mut longest = 0;
        let is = mask.filter(|row| match operand.get(row) {
            Some(Value::String(text)) => {
                longest = text.len().max(longest);
                regex.is_match(&text)
            }
            _ => {
                fault.set(row);
                false
            }
        });
        self.charge(regex_cost(longest, regex.as_str().len()));
        Truth { is, fault: fault.into() }
    }

    /// A call that gives truth: tests of text with a constant have kernels.
    #[inline(never)]
    pub(super) fn text_call(
        &self,
        function: &str,
        overloads: &[Arc<Overload>],
        args: &[NodeId],
        frame: &Frame<'_, 'a>,
        mask: &Bits,
    ) -> Truth {
        let args = self.operands(args, frame, mask);
        if let ([Vector::Text(text), Vector::Const(Value::String(part))], [overload]) = (&*args, overloads)
            && overload.is_library()
            && let Some(truth) = self.text_test(function, text, part, frame.count, mask)
        {
            return truth;
        }
        self.host_call(overloads, &args, frame.count, mask)
            .unwrap_or_else(|| self.call(function, overloads, &args, mask))
            .truth(mask)
    }

    #[inline(never)]
    fn text_test(
        &self,
        function: &str,
        text: &TextLanes<'a>,
        part: &str,
        count: usize,
        mask: &Bits,
    ) -> Option<Truth> {
        let fault = text.fault.or(&text.null);
        let rows = mask.without(&fault);
        let is = match function {
            "startsWith" => text.start_with(part, &rows),
            "endsWith" => text.test(&rows, |text| text.ends_with(part)),
            "contains" => {
                self.charge(tenth(text.longest(count)));
                let finder = memchr::memmem::Finder::new(part);
                text.test(&rows, |text| finder.find(text.as_bytes()).is_some())
            }
            _ => return None,
        };
        self.charge(tenth(part.len()));
        Some(Truth { is, fault })
    }

    /// Any function, row by row but for those of a number.
    #[inline(never)]
    pub(super) fn call(
        &self,
        function: &str,
        overloads: &[Arc<Overload>],
        args: &[Vector<'a>],
        mask: &Bits,
    ) -> Vector<'a> {
        if let ([overload], [operand]) = (overloads, args)
            && overload.is_library()
            && let Some(vector) = number_call(function, operand)
        {
            return vector;
        }
        let program = self.plan.program;
        let mut values = vec![None; super::bits::BLOCK];
        let mut most = 0;
        mask.each(|row| {
            let given: Option<Vec<Value<'a>>> = args.iter().map(|arg| arg.get(row)).collect();
            let (Some(given), Some(place)) = (given, values.get_mut(row)) else { return };
            let machine = Machine::new(program.nodes(), &[], Inputs::Slots(&[], &[]), program.budget());
            let outcome = machine.apply(function, overloads, &given);
            most = machine.meter.spent().max(most);
            match outcome {
                Ok(value) => *place = Some(value),
                Err(Fault::Exhausted(_)) => most = u64::MAX,
                Err(_) => {}
            }
        });
        self.charge(most);
        Vector::Values(values)
    }
}
