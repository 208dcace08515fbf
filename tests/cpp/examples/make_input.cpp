// Writes the inputs of the examples: make_input sold|history FILE.
#include "../face/check.hpp"

#include <fstream>

static comptoir::Table sold() {
    static const std::int32_t items[] = {0, 3, 6, 9};
    static const std::int64_t units[] = {40, 70, 10};
    return check::table_of({{"item", "u", {nullptr, items, "mugbagpen"}}, {"units", "l", {nullptr, units}}}, 3);
}

// Receipts of 10 for 100 and of 10 for 140, an issue of 5, and a row that is none.
static comptoir::Table history() {
    static const std::int64_t ids[] = {1, 2, 3, 4}, quantities[] = {10, 10, 5, 1}, amounts[] = {100, 140, 0, 0};
    static const std::int32_t dates[] = {19723, 19724, 19725, 19726}, items[] = {0, 3, 6, 9, 12},
                              kinds[] = {0, 7, 14, 19, 24};
    return check::table_of({{"movement_id", "l", {nullptr, ids}},
                            {"at", "tdD", {nullptr, dates}},
                            {"item", "u", {nullptr, items, "mugmugmugmug"}},
                            {"kind", "u", {nullptr, kinds, "receiptreceiptissueloose"}},
                            {"quantity", "l", {nullptr, quantities}},
                            {"amount", "l", {nullptr, amounts}}},
                           4);
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    std::ofstream file(arguments[2], std::ios::binary);
    file << (std::string(arguments[1]) == "sold" ? sold() : history()).write_bytes();
    return file.good() ? 0 : 1;
}
