/* The tests of the C ABI. Each ends the program where something does not hold. */
#include "check.h"

int main(void) {
    test_handles();
    test_text();
    test_tables();
    test_costing();
    test_rules();
    test_rule_sets();
    test_ranking();
    test_executor();
    test_versions();
    test_threads();
    puts("the C ABI holds");
    return 0;
}
