//! The arrangement that a spec asks for, of the candidates of one group.

use std::collections::BTreeSet;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_buffer::BooleanBuffer;
use arrow_schema::{DataType, Field, Schema};
use comptoir_rules::value::Timestamp;
use comptoir_types::arrow::text_at;
use hashbrown::HashMap;

use super::compile::{Expression, env, field};
use super::error::BoardError;
use super::keys::KeyColumns;
use super::report::Faults;
use super::spec::{BandSpec, BoardSpec, ConstraintKind, DiversitySpec};
use crate::arrange::{Bounds, Constraint, Rule, cosine, mmr};

/// Diversity and constraints of a spec, compiled.
#[derive(Debug)]
pub struct Layout {
    item: String,
    k: usize,
    constraints: Vec<Asked>,
    diversity: Option<DiversitySpec>,
}

#[derive(Debug)]
struct Asked {
    id: String,
    priority: i32,
    is_strict: bool,
    group: Option<Expression>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Band(Expression, Bounds),
    Window { column: String, most: usize, width: usize },
}

/// What the layout reads of all kept candidates.
#[derive(Debug)]
pub struct Readings {
    constraints: Vec<Reading>,
    likeness: Likeness,
}

#[derive(Debug)]
struct Reading {
    /// The groups in which the constraint counts.
    groups: BooleanBuffer,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Members(BooleanBuffer),
    Keys(Vec<Option<u32>>),
}

#[derive(Debug)]
enum Likeness {
    None,
    Keys(Vec<Option<u32>>),
    Vectors(Vec<Vec<f64>>),
}

impl Layout {
    /// For a table of candidates.
    pub fn new(spec: &BoardSpec, schema: &Schema, now: Option<Timestamp>) -> Result<Self, BoardError> {
        let env_of_rows = env(schema, now)?;
        let groups = spec.group.iter().map(|name| field(schema, name).cloned());
        let env_of_groups = env(&Schema::new(groups.collect::<Result<Vec<_>, _>>()?), now)?;
        let mut constraints = Vec::with_capacity(spec.constraints.len());
        for (place, constraint) in spec.constraints.iter().enumerate() {
            let at = |field: &str| format!("constraints[{place}].{field}");
            let kind = constraint.kind().map_err(|(field, reason)| BoardError::spec(&at(field), reason))?;
            let kind = match kind {
                ConstraintKind::Band(band) => Kind::Band(
                    Expression::condition(&env_of_rows, &at("band.when"), &band.when)?,
                    bounds(band, spec.k),
                ),
                ConstraintKind::Window(window) => Kind::Window {
                    column: key(schema, &window.key, &at("window.key"))?,
                    most: window.most,
                    width: window.width,
                },
                ConstraintKind::OnePer(column) => {
                    Kind::Window { column: key(schema, column, &at("one_per"))?, most: 1, width: spec.k }
                }
            };
            let group = constraint.group.as_deref();
            let group = group.map(|group| Expression::condition(&env_of_groups, &at("group"), group));
            constraints.push(Asked {
                id: constraint.id.clone(),
                priority: constraint.priority,
                is_strict: constraint.strict,
                group: group.transpose()?,
                kind,
            });
        }
        if let Some(name) = spec.diversity.iter().find_map(|diversity| diversity.key.as_ref()) {
            key(schema, name, "diversity.key")?;
        }
        if let Some(name) = spec.diversity.iter().find_map(|diversity| diversity.vector.as_ref()) {
            check_vector(field(schema, name)?)?;
        }
        Ok(Self { item: spec.item.clone(), k: spec.k, constraints, diversity: spec.diversity.clone() })
    }

    /// Whether candidates stay in their organic order.
    pub const fn is_plain(&self) -> bool {
        self.constraints.is_empty() && self.diversity.is_none()
    }

    /// Adds the columns that it reads, by their place in the schema.
    pub fn reads(&self, schema: &Schema, columns: &mut BTreeSet<usize>) {
        for asked in &self.constraints {
            match &asked.kind {
                Kind::Band(condition, _) => condition.reads(schema, columns),
                Kind::Window { column, .. } => columns.extend(schema.index_of(column).ok()),
            }
        }
        let diversity = self.diversity.iter().flat_map(|spec| spec.key.iter().chain(&spec.vector));
        columns.extend(diversity.filter_map(|name| schema.index_of(name).ok()));
    }

    /// Reads the kept candidates of all groups.
    pub fn read(
        &self,
        kept: &RecordBatch,
        groups: &RecordBatch,
        faults: &mut Faults,
    ) -> Result<Readings, BoardError> {
        let (all, all_groups) =
            (BooleanBuffer::new_set(kept.num_rows()), BooleanBuffer::new_set(groups.num_rows()));
        let mut constraints = Vec::with_capacity(self.constraints.len());
        for asked in &self.constraints {
            let groups = match &asked.group {
                Some(group) => group.flags(groups, &all_groups, faults)?,
                None => all_groups.clone(),
            };
            let values = match &asked.kind {
                Kind::Band(condition, _) => Values::Members(condition.flags(kept, &all, faults)?),
                Kind::Window { column, .. } => Values::Keys(keys(kept, column)?),
            };
            constraints.push(Reading { groups, values });
        }
        let likeness = match &self.diversity {
            Some(DiversitySpec { key: Some(column), .. }) => Likeness::Keys(keys(kept, column)?),
            Some(DiversitySpec { vector: Some(column), .. }) => {
                let vectors = vectors(kept, column)?;
                check_lengths(&vectors, column, kept, &self.item)?;
                Likeness::Vectors(vectors)
            }
            _ => Likeness::None,
        };
        Ok(Readings { constraints, likeness })
    }

    /// The constraints on the board of a group, whose candidates are these rows of what was read.
    pub fn constraints(&self, readings: &Readings, group: usize, rows: &[usize]) -> Vec<Constraint> {
        let asked = self.constraints.iter().zip(&readings.constraints);
        let asked = asked.filter(|(_, reading)| reading.groups.value(group));
        let constraint = |(asked, reading): (&Asked, &Reading)| {
            let rule = match (&asked.kind, &reading.values) {
                (Kind::Band(_, bounds), Values::Members(members)) => Rule::Band {
                    members: rows.iter().map(|row| members.value(*row)).collect(),
                    bounds: bounds.clone(),
                },
                (Kind::Window { most, width, .. }, Values::Keys(keys)) => Rule::Window {
                    keys: rows.iter().map(|row| keys.get(*row).copied().flatten()).collect(),
                    most: *most,
                    width: *width,
                },
                _ => return None,
            };
            Some(Constraint {
                id: asked.id.clone(),
                priority: asked.priority,
                is_strict: asked.is_strict,
                rule,
            })
        };
        asked.filter_map(constraint).collect()
    }

    /// The rows of a group in the order in which they compete for places: as they are, or alike ones moved apart.
    pub fn order(&self, readings: &Readings, rows: &[usize], scores: &[f64]) -> Vec<usize> {
        let Some(diversity) = &self.diversity else { return rows.to_vec() };
        let score = |row: &usize| scores.get(*row).copied().unwrap_or(f64::NAN);
        let (high, low) = (rows.first().map_or(0.0, score), rows.last().map_or(0.0, score));
        let relevance = |row: &usize| if high > low { (score(row) - low) / (high - low) } else { 1.0 };
        let relevance: Vec<f64> = rows.iter().map(relevance).collect();
        let alike = |left: usize, right: usize| match (rows.get(left), rows.get(right)) {
            (Some(left), Some(right)) => readings.likeness.of(*left, *right),
            _ => 0.0,
        };
        let order = mmr(&relevance, alike, diversity.lambda, rows.len());
        order.into_iter().filter_map(|place| rows.get(place).copied()).collect()
    }

    /// How many places a board has.
    pub const fn k(&self) -> usize {
        self.k
    }
}

impl Likeness {
    /// 1 for equal keys; the cosine of vectors, 0 where one has no direction.
    fn of(&self, left: usize, right: usize) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Keys(keys) => match (keys.get(left), keys.get(right)) {
                (Some(Some(left)), Some(Some(right))) if left == right => 1.0,
                _ => 0.0,
            },
            Self::Vectors(vectors) => match (vectors.get(left), vectors.get(right)) {
                (Some(left), Some(right)) if left.len() == right.len() => {
                    let cosine = cosine(left, right);
                    if cosine.is_nan() { 0.0 } else { cosine }
                }
                _ => 0.0,
            },
        }
    }
}

fn bounds(band: &BandSpec, k: usize) -> Bounds {
    let mut bounds = Bounds::any(k);
    if band.least_share.or(band.most_share).is_some() {
        let least = band.least_share.map_or(0, |share| share.weight());
        bounds = bounds.share(least, band.most_share.map_or(10_000, |share| share.weight()));
    }
    let first = band.of_first.unwrap_or(k);
    if let Some(count) = band.at_least {
        bounds = bounds.at_least(count, first);
    }
    if let Some(count) = band.at_most {
        bounds = bounds.at_most(count, first);
    }
    bounds
}

/// A column whose values are keys, which the field `path` of a spec names.
fn key(schema: &Schema, name: &str, path: &str) -> Result<String, BoardError> {
    KeyColumns::check(field(schema, name)?).map_err(|error| error.read_by(path))?;
    Ok(name.to_owned())
}

/// Whether a column has lists of floats.
fn check_vector(field: &Field) -> Result<(), BoardError> {
    use DataType as D;
    let is_float = match field.data_type() {
        D::FixedSizeList(part, _) | D::List(part) | D::LargeList(part) => {
            matches!(part.data_type(), D::Float64 | D::Float32)
        }
        _ => false,
    };
    match is_float {
        true => Ok(()),
        false => Err(no_vectors(field.name(), field.data_type()).read_by("diversity.vector")),
    }
}

fn no_vectors(column: &str, found: &DataType) -> BoardError {
    BoardError::Column(comptoir_types::Error::ColumnType {
        column: column.to_owned(),
        expected: "lists of floats",
        found: comptoir_types::arrow::type_name(found),
        advice: String::new(),
    })
}

/// For each row a number that is the same for equal values; none for null.
fn keys(table: &RecordBatch, column: &str) -> Result<Vec<Option<u32>>, BoardError> {
    let mut columns = KeyColumns::names(&[column.to_owned()]);
    let (rows, valid) = (columns.encode(table)?, columns.valid(table)?);
    let mut numbers: HashMap<&[u8], u32> = HashMap::new();
    let number = |row: usize| {
        if valid.as_ref().is_some_and(|valid| !valid.value(row)) {
            return None;
        }
        let next = u32::try_from(numbers.len()).ok()?;
        Some(*numbers.entry(rows.bytes(row)).or_insert(next))
    };
    Ok((0..table.num_rows()).map(number).collect())
}

/// The vectors of a column of lists of floats; empty for null.
fn vectors(table: &RecordBatch, column: &str) -> Result<Vec<Vec<f64>>, BoardError> {
    let wrong = |found: &DataType| no_vectors(column, found);
    let array = table.column_by_name(column).ok_or_else(|| BoardError::internal("no vectors"))?;
    let list = |row: usize| -> Option<ArrayRef> {
        match array.data_type() {
            DataType::FixedSizeList(..) => Some(array.as_fixed_size_list().value(row)),
            DataType::List(_) => Some(array.as_list::<i32>().value(row)),
            DataType::LargeList(_) => Some(array.as_list::<i64>().value(row)),
            _ => None,
        }
    };
    let vector = |row: usize| {
        if array.is_null(row) {
            return Ok(Vec::new());
        }
        let list = list(row).ok_or_else(|| wrong(array.data_type()))?;
        match list.data_type() {
            DataType::Float64 => Ok(list.as_primitive::<Float64Type>().values().to_vec()),
            DataType::Float32 => {
                Ok(list.as_primitive::<Float32Type>().values().iter().map(|part| f64::from(*part)).collect())
            }
            _ => Err(wrong(array.data_type())),
        }
    };
    (0..table.num_rows()).map(vector).collect()
}

/// Whether all vectors have one length; a null has none.
fn check_lengths(
    vectors: &[Vec<f64>],
    column: &str,
    kept: &RecordBatch,
    item: &str,
) -> Result<(), BoardError> {
    let is_valid = |row: usize| kept.column_by_name(column).is_some_and(|array| array.is_valid(row));
    let mut lengths = vectors.iter().map(Vec::len).enumerate().filter(|(row, _)| is_valid(*row));
    let Some((_, expected)) = lengths.next() else { return Ok(()) };
    let Some((row, found)) = lengths.find(|(_, found)| *found != expected) else { return Ok(()) };
    let items = kept.column_by_name(item);
    let item = items.and_then(|items| text_at(items.as_ref(), row)).unwrap_or_default();
    Err(BoardError::Vectors { column: column.to_owned(), item, expected, found })
}
