/// @file
/// Tables by Arrow's C stream interface.
#ifndef COMPTOIR_TABLE_HPP
#define COMPTOIR_TABLE_HPP

#include <comptoir/handle.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace comptoir {

/// A table: a stream of Arrow's C stream interface that this object owns. It is given away to the calls that read it, and
/// handed over to any Arrow library by `release`, without a copy. One thread at a time.
class Table {
public:
    /// No table.
    Table() noexcept = default;

    /// Takes a stream over; what it was taken from is released.
    explicit Table(ArrowArrayStream &stream) noexcept : stream_(stream) { stream.release = nullptr; }

    /// Takes one struct array over; of the schema nothing is taken.
    Table(const ArrowSchema &schema, ArrowArray &array) {
        detail::check(comptoir_stream_of_array(&schema, &array, &stream_));
    }

    Table(const Table &) = delete;
    Table &operator=(const Table &) = delete;
    Table(Table &&other) noexcept : stream_(std::exchange(other.stream_, ArrowArrayStream{})) {}
    Table &operator=(Table &&other) noexcept {
        std::swap(stream_, other.stream_);
        return *this;
    }
    ~Table() {
        if (stream_.release != nullptr) {
            stream_.release(&stream_);
        }
    }

    /// A table from a file in Arrow's IPC format, with or without a footer.
    static Table read_file(std::string_view path) {
        Table table;
        detail::check(comptoir_stream_read_file(path.data(), path.size(), &table.stream_));
        return table;
    }

    /// A table from bytes in Arrow's IPC format.
    static Table read_bytes(std::string_view bytes) {
        Table table;
        detail::check(comptoir_stream_read_bytes(bytes.data(), bytes.size(), &table.stream_));
        return table;
    }

    /// The table as bytes of Arrow's IPC stream format, the same in every host. It is then given away.
    std::string write_bytes() && {
        detail::Text text;
        detail::check(comptoir_stream_write_bytes(&stream_, text.out()));
        return text.str();
    }

    /// Whether there is a table: false once it was given away.
    explicit operator bool() const noexcept { return stream_.release != nullptr; }

    /// Hands the stream over to the caller, who releases it.
    ArrowArrayStream release() noexcept { return std::exchange(stream_, ArrowArrayStream{}); }

    /// The stream, for a call that reads it or writes one there.
    ArrowArrayStream *get() noexcept { return &stream_; }

private:
    ArrowArrayStream stream_{};
};

}  // namespace comptoir

#endif
