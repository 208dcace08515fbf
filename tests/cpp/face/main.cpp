// The tests of the C++ face. Each ends the program where something does not hold.
#include "check.hpp"

int main() {
    CHECK(comptoir::version().size() >= 5);
    test_tables();
    test_costing();
    test_rules();
    test_ranking();
    test_executor();
    test_versions();
    test_threads();
    std::puts("the C++ face holds");
    return 0;
}
