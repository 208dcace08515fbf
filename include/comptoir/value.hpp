/// @file
/// Values of rules: typed slots in, results out.
#ifndef COMPTOIR_VALUE_HPP
#define COMPTOIR_VALUE_HPP

#include <comptoir/handle.hpp>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace comptoir::rules {

/// What a value is.
enum class Kind : std::uint32_t {
    absent = COMPTOIR_VALUE_KIND_ABSENT,
    null = COMPTOIR_VALUE_KIND_NULL,
    boolean = COMPTOIR_VALUE_KIND_BOOL,
    integer = COMPTOIR_VALUE_KIND_INT,
    unsigned_integer = COMPTOIR_VALUE_KIND_UINT,
    number = COMPTOIR_VALUE_KIND_DOUBLE,
    string = COMPTOIR_VALUE_KIND_STRING,
    bytes = COMPTOIR_VALUE_KIND_BYTES,
    decimal = COMPTOIR_VALUE_KIND_DECIMAL,
    timestamp = COMPTOIR_VALUE_KIND_TIMESTAMP,
    duration = COMPTOIR_VALUE_KIND_DURATION,
    json = COMPTOIR_VALUE_KIND_JSON,
};

/// An exact decimal: `units` of 128 bits in two words, divided by ten to the power of `scale`.
struct Decimal {
    std::uint64_t low;
    std::int64_t high;
    std::uint32_t scale;

    /// A decimal of units that fit in 64 bits: `Decimal::of(1230, 2)` is 12.30.
    static constexpr Decimal of(std::int64_t units, std::uint32_t scale) noexcept {
        return {static_cast<std::uint64_t>(units), units < 0 ? -1 : 0, scale};
    }
};

/// A moment since 1970-01-01T00:00:00Z.
using Moment = comptoir_moment;

/// Text that is JSON.
struct Json {
    std::string_view text;
};

/// Bytes that are no text.
struct Bytes {
    std::string_view data;
};

/// A value. Text is not owned: as an input it must stay for the call, as a result it stays as long as the call says.
class Value {
public:
    /// Nothing.
    Value() noexcept : value_{} {}
    /// What C gives.
    explicit Value(const comptoir_value &value) noexcept : value_(value) {}
    /// null
    Value(std::nullptr_t) noexcept : Value(Kind::null) {}
    /// A truth value, or an integer: signed and unsigned ones are `int` and `uint`.
    template <class T, class = std::enable_if_t<std::is_integral_v<T>>>
    Value(T number) noexcept : Value(kind_of<T>()) {
        if constexpr (std::is_same_v<T, bool>) {
            value_.as.boolean = number ? 1 : 0;
        } else if constexpr (std::is_signed_v<T>) {
            value_.as.integer = number;
        } else {
            value_.as.unsigned_integer = number;
        }
    }
    Value(double number) noexcept : Value(Kind::number) { value_.as.number = number; }
    Value(std::string_view text) noexcept : Value(Kind::string) { value_.as.text = comptoir::detail::view(text); }
    Value(const std::string &text) noexcept : Value(std::string_view(text)) {}
    Value(std::string &&) = delete;  // its text would be gone before the call
    Value(const char *text) noexcept : Value(std::string_view(text)) {}
    Value(Bytes bytes) noexcept : Value(Kind::bytes) { value_.as.text = comptoir::detail::view(bytes.data); }
    Value(Json json) noexcept : Value(Kind::json) { value_.as.text = comptoir::detail::view(json.text); }
    Value(Decimal decimal) noexcept : Value(Kind::decimal) {
        value_.scale = decimal.scale;
        value_.as.decimal = {decimal.low, decimal.high};
    }
    Value(Moment moment) noexcept : Value(Kind::timestamp) { value_.as.timestamp = moment; }
    template <class Rep, class Period>
    Value(std::chrono::duration<Rep, Period> duration) noexcept : Value(Kind::duration) {
        value_.as.duration = std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
    }

    /// What it is.
    Kind kind() const noexcept { return static_cast<Kind>(value_.kind); }
    /// Whether there is one.
    bool is_absent() const noexcept { return kind() == Kind::absent; }
    /// The truth. Each of these throws `std::bad_cast` for a value of another kind.
    bool as_bool() const { return of(Kind::boolean).boolean != 0; }
    std::int64_t as_int() const { return of(Kind::integer).integer; }
    std::uint64_t as_uint() const { return of(Kind::unsigned_integer).unsigned_integer; }
    double as_double() const { return of(Kind::number).number; }
    std::string_view as_string() const { return comptoir::detail::view(of(Kind::string).text); }
    std::string_view as_bytes() const { return comptoir::detail::view(of(Kind::bytes).text); }
    std::string_view as_json() const { return comptoir::detail::view(of(Kind::json).text); }
    Decimal as_decimal() const {
        const comptoir_decimal128 words = of(Kind::decimal).decimal;
        return {words.low, words.high, value_.scale};
    }
    Moment as_timestamp() const { return of(Kind::timestamp).timestamp; }
    std::chrono::nanoseconds as_duration() const { return std::chrono::nanoseconds(of(Kind::duration).duration); }

    /// The value for C.
    const comptoir_value &get() const noexcept { return value_; }

private:
    template <class T>
    static constexpr Kind kind_of() noexcept {
        if constexpr (std::is_same_v<T, bool>) {
            return Kind::boolean;
        }
        return std::is_signed_v<T> ? Kind::integer : Kind::unsigned_integer;
    }

    explicit Value(Kind kind) noexcept : value_{} { value_.kind = static_cast<std::uint32_t>(kind); }

    const comptoir_value_as &of(Kind kind) const {
        if (this->kind() != kind) {
            throw std::bad_cast();
        }
        return value_.as;
    }

    comptoir_value value_;
};

/// The values of the inputs of a program or rule set, in the order of its slots; those that are not set are absent. Made
/// once and used again. One thread at a time. A program or set whose inputs lie in other places takes no slots of this one;
/// `LiveRuleSet` brings them over.
class Slots {
public:
    /// For inputs with these names, in a layout (`comptoir_program_layout`).
    Slots(std::vector<std::string> names, std::uint64_t layout)
        : names_(std::move(names)), values_(names_.size()), layout_(layout) {}

    /// The place of an input. Throws `std::out_of_range` for a name that is none of an input.
    std::size_t place(std::string_view name) const {
        for (std::size_t place = 0; place < names_.size(); ++place) {
            if (names_[place] == name) {
                return place;
            }
        }
        throw std::out_of_range("there is no input `" + std::string(name) + "`");
    }

    /// Sets the input at a place. Its text must stay until the call.
    Slots &set(std::size_t place, const Value &value) {
        values_.at(place) = value.get();
        return *this;
    }
    /// Sets an input by its name.
    Slots &set(std::string_view name, const Value &value) { return set(place(name), value); }

    /// Makes all inputs absent.
    void clear() noexcept { values_.assign(values_.size(), comptoir_value{}); }
    /// Takes the values of others, each to the input of its name; those without one here are left out.
    void take(const Slots &others) {
        clear();
        for (std::size_t place = 0; place < others.names_.size(); ++place) {
            for (std::size_t own = 0; own < names_.size(); ++own) {
                if (names_[own] == others.names_[place]) {
                    values_[own] = others.values_[place];
                }
            }
        }
    }
    /// The layout of the inputs.
    std::uint64_t layout() const noexcept { return layout_; }
    /// Throws where these are values for another layout: they would be read as other inputs.
    void expect(std::uint64_t layout) const {
        if (layout != layout_) {
            comptoir_error error{};
            error.status = COMPTOIR_STATUS_CONFIG;
            error.code = "HOST_ARGUMENT";
            error.message = "the slots are those of another program or rule set, whose inputs lie in other places";
            error.path = error.rendered = "";
            error.row = -1;
            throw Error(error);
        }
    }
    /// How many there are.
    std::size_t size() const noexcept { return values_.size(); }
    /// The values for C.
    const comptoir_value *data() const noexcept { return values_.data(); }

private:
    std::vector<std::string> names_;
    std::vector<comptoir_value> values_;
    std::uint64_t layout_;
};

}  // namespace comptoir::rules

#endif
