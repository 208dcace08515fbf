// Tables.
#include "check.hpp"

#include <numeric>
#include <utility>

// A million rows cross in and out without a copy.
static void test_zero_copy() {
    std::vector<std::int64_t> units(1'000'000);
    std::iota(units.begin(), units.end(), 0);
    int released = 0;
    comptoir::Table table = check::table_of({{"units", "l", {nullptr, units.data()}}}, 1'000'000, &released);
    comptoir::Table moved = std::move(table);
    CHECK(moved && !table);
    {
        const check::Read read(std::move(moved));
        CHECK(read.array.length == 1'000'000);
        CHECK(read.values<std::int64_t>("units") == units.data());
        CHECK(released == 0);
    }
    CHECK(released == 1);
}

void test_tables() {
    test_zero_copy();
    const std::int64_t units[] = {4, 7, 9};
    const std::string bytes = check::table_of({{"units", "l", {nullptr, units}}}, 3).write_bytes();
    const check::Read read(comptoir::Table::read_bytes(bytes));
    CHECK(std::memcmp(read.values<std::int64_t>("units"), units, sizeof units) == 0);
    // Handed over and taken back.
    ArrowArrayStream stream = comptoir::Table::read_bytes(bytes).release();
    comptoir::Table again(stream);
    CHECK(stream.release == nullptr && again);
    again = comptoir::Table();
    const comptoir::Error error = check::error_of([] { comptoir::Table::read_file("/no/such/file"); });
    CHECK(error.kind() == comptoir::ErrorKind::storage && error.code() == "ARROW_FILE");
    CHECK(check::error_of([] { comptoir::Table().write_bytes(); }).code() == "ARROW_PROTOCOL");
}
