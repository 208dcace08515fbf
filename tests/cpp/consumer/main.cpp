// The smallest program with comptoir.
#include <comptoir/comptoir.hpp>

#include <iostream>

int main() {
    const auto program = comptoir::rules::Program::compile(R"({"variables": {"price": "double"}})", "price < 10.0");
    auto slots = program.slots();
    std::cout << "comptoir " << comptoir::version() << ": " << program.test(slots.set("price", 8.5)) << "\n";
    return program.test(slots) ? 0 : 1;
}
