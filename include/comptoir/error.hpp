/// @file
/// Errors of the library as exceptions.
#ifndef COMPTOIR_ERROR_HPP
#define COMPTOIR_ERROR_HPP

#include <comptoir.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

namespace comptoir {

/// Families of errors; the numbers are those of comptoir_status.
enum class ErrorKind {
    schema = COMPTOIR_STATUS_SCHEMA,
    data = COMPTOIR_STATUS_DATA,
    config = COMPTOIR_STATUS_CONFIG,
    limit = COMPTOIR_STATUS_LIMIT,
    storage = COMPTOIR_STATUS_STORAGE,
    overloaded = COMPTOIR_STATUS_OVERLOADED,
    timeout = COMPTOIR_STATUS_TIMEOUT,
    cancelled = COMPTOIR_STATUS_CANCELLED,
    unavailable = COMPTOIR_STATUS_UNAVAILABLE,
    internal = COMPTOIR_STATUS_INTERNAL,
};

/// What went wrong. `what()` is the message.
class Error : public std::runtime_error {
public:
    /// The error that C tells of.
    explicit Error(const comptoir_error &error)
        : std::runtime_error(error.message),
          kind_(static_cast<ErrorKind>(error.status)),
          code_(error.code),
          path_(error.path),
          rendered_(error.rendered),
          line_(error.line),
          column_(error.column),
          row_(error.row) {}

    /// The family.
    ErrorKind kind() const noexcept { return kind_; }
    /// The stable code, such as `COSTING_NEGATIVE_STOCK`; the same in every host.
    const std::string &code() const noexcept { return code_; }
    /// The field of the configuration, such as `rules[3].when`, or the column of the table; empty where not known.
    const std::string &path() const noexcept { return path_; }
    /// The message with the line of an expression and a caret under the place; empty where there is none.
    const std::string &rendered() const noexcept { return rendered_; }
    /// Line in the expression or text, from 1; 0 where not known.
    std::size_t line() const noexcept { return line_; }
    /// Character in the line, from 1; 0 where not known.
    std::size_t column() const noexcept { return column_; }
    /// Row of the table, from 0.
    std::optional<std::int64_t> row() const noexcept {
        return row_ < 0 ? std::nullopt : std::optional<std::int64_t>(row_);
    }

private:
    ErrorKind kind_;
    std::string code_;
    std::string path_;
    std::string rendered_;
    std::size_t line_;
    std::size_t column_;
    std::int64_t row_;
};

/// More work is waiting than is taken; try again later.
class OverloadedError : public Error {
public:
    using Error::Error;
};

/// A deadline has passed.
class DeadlineError : public Error {
public:
    using Error::Error;
};

/// The caller gave the work up.
class CancelledError : public Error {
public:
    using Error::Error;
};

namespace detail {

/// Throws the last error of this thread.
[[noreturn]] inline void raise() {
    const comptoir_error error = comptoir_last_error();
    switch (error.status) {
        case COMPTOIR_STATUS_OVERLOADED: throw OverloadedError(error);
        case COMPTOIR_STATUS_TIMEOUT: throw DeadlineError(error);
        case COMPTOIR_STATUS_CANCELLED: throw CancelledError(error);
        default: throw Error(error);
    }
}

/// Throws where a call failed.
inline void check(comptoir_status status) {
    if (status != COMPTOIR_STATUS_OK) {
        raise();
    }
}

}  // namespace detail
}  // namespace comptoir

#endif
