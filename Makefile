# Everything a developer calls. `make help` lists the targets; each sets up what it needs in .venv and target/.

PYTHON ?=
DATA ?=
VENV := .venv
BIN := $(VENV)/bin
# A directory of its own: maturin builds PyO3 with other settings than plain cargo, and each switch would rebuild it. The
# other hosts are built there too, in release, from the same crates.
HOSTS_TARGET := target/hosts
NATIVE_SOURCES := Cargo.toml Cargo.lock pyproject.toml $(shell find bindings/python bindings/host/src crates -name '*.rs' -o -name '*.cu' -o -name Cargo.toml -o -name '*.yaml')
EXAMPLES := $(wildcard examples/python/*.py)
# Those of benches/gpu need a GPU and more; see benches/gpu/README.md.
BENCHES := $(filter-out benches/gpu/%,$(sort $(wildcard benches/*/*.py)))

# Lints and docs need no interpreter, so plain cargo is told not to look for one.
export PYO3_NO_PYTHON := 1
export PYO3_BUILD_EXTENSION_MODULE := 1

.DEFAULT_GOAL := help
.PHONY: help demo test test-rust test-python test-c test-cpp test-java install bench bench-cpp bench-java fmt lint licences docs wheel test-wheel fuzz clean

help: ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.native ## Value a synthetic year of a shop and guard its sales, or DATA=file.parquet; writes a report.
	$(BIN)/python -m comptoir.demo $(DATA)

test: test-rust test-python test-c test-cpp test-java ## Run the tests of every host.

# In one call, so that all stand on the same crates: those of the C ABI, which hold the header against its source, too.
RUST_TESTS := --workspace --exclude comptoir-python --exclude comptoir-java --exclude comptoir-fuzz

test-rust: | $(VENV)/.packages cargo ## Run the Rust tests, and that include/comptoir.h is current.
	PROPTEST_RNG_SEED=20261122 cargo test --locked $(RUST_TESTS)

test-python: $(VENV)/.native ## Run the Python tests, and the cases of costing and ranking.
	$(BIN)/python -m pytest
	$(BIN)/python -m doctest README.md docs/*.md bindings/python/README.md
	$(BIN)/python tests/cases/costing.py tests/cases/costing.yaml
	$(BIN)/python tests/cases/ranking.py tests/cases/ranking.jsonl

# The libraries of the C ABI, as cargo builds them.
C_LIBRARIES := $(HOSTS_TARGET)/release
C_FLAGS := -std=c11 -D_DEFAULT_SOURCE -g -Wall -Wextra -Wpedantic -Werror -Iinclude
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=undefined
C_STATIC = $(C_LIBRARIES)/libcomptoir_c.a -lpthread -ldl -lm

CPP_FLAGS := -std=c++17 -g -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -Iinclude

.PHONY: c-libraries
c-libraries: | cargo
	CARGO_TARGET_DIR=$(HOSTS_TARGET) cargo build --release --locked -p comptoir-c

test-c: c-libraries ## Run the tests of the C ABI, with and without sanitizers, and its vectors.
	@command -v gcc >/dev/null || { echo 'comptoir: gcc is missing: apt-get install gcc' >&2; exit 1; }
	mkdir -p target/c
	gcc $(C_FLAGS) -O2 tests/c/abi/*.c $(C_STATIC) -o target/c/abi && target/c/abi
	gcc $(C_FLAGS) $(SANITIZERS) tests/c/abi/*.c $(C_STATIC) -o target/c/abi-checked && target/c/abi-checked
	gcc $(C_FLAGS) $(SANITIZERS) tests/c/vectors/*.c $(C_STATIC) -o target/c/vectors && target/c/vectors tests/vectors

test-cpp: c-libraries ## Run the tests of the C++ face with sanitizers, its vectors, and a program against the installed package.
	@for tool in g++ cmake pkg-config; do \
		command -v $$tool >/dev/null || { echo "comptoir: $$tool is missing: apt-get install g++ cmake pkg-config" >&2; exit 1; }; \
	done
	mkdir -p target/cpp
	for header in include/comptoir/*.hpp; do g++ $(CPP_FLAGS) -fsyntax-only -x c++ $$header || exit 1; done
	g++ $(CPP_FLAGS) -O1 $(SANITIZERS) tests/cpp/face/*.cpp $(C_STATIC) -o target/cpp/face && target/cpp/face
	g++ $(CPP_FLAGS) -O1 $(SANITIZERS) tests/cpp/vectors/*.cpp $(C_STATIC) -o target/cpp/vectors && target/cpp/vectors tests/vectors
	gcc $(C_FLAGS) $(SANITIZERS) examples/c/value_stock.c $(C_STATIC) -o target/c/value_stock
	g++ $(CPP_FLAGS) $(SANITIZERS) examples/cpp/order_service/main.cpp $(C_STATIC) -o target/cpp/order_service
	g++ $(CPP_FLAGS) $(SANITIZERS) tests/cpp/examples/make_input.cpp tests/cpp/face/check.cpp $(C_STATIC) -o target/cpp/make_input
	tests/cpp/examples/value_stock.sh target/c/value_stock target/cpp/make_input
	tests/cpp/examples/order_service.sh target/cpp/order_service target/cpp/make_input
	tests/cpp/consumer/run.sh $(C_LIBRARIES)

PREFIX ?= /usr/local
install: c-libraries ## Install the C and C++ faces under PREFIX=/usr/local: headers, libraries, CMake package, pkg-config file.
	@command -v cmake >/dev/null || { echo 'comptoir: cmake is missing: apt-get install cmake g++' >&2; exit 1; }
	cmake -S bindings/cpp -B target/cpp/install -DCOMPTOIR_LIBRARY_DIR=$(CURDIR)/$(C_LIBRARIES) -DCMAKE_INSTALL_PREFIX=$(abspath $(PREFIX))
	cmake --install target/cpp/install

# What the jar takes in: the library without the symbols that only debuggers read.
JAVA_NATIVE := $(abspath $(HOSTS_TARGET))/java

test-java: java-library | jdk ## Run the Java tests, with -Xcheck:jni; builds the jars.
	mvn -q -B -f bindings/java/pom.xml -Dnative.directory=$(JAVA_NATIVE) verify
	@command -v curl >/dev/null || { echo 'comptoir: curl is missing: apt-get install curl' >&2; exit 1; }
	examples/java/run.sh bindings/java/target/comptoir-0.1.0.jar

bench-cpp: c-libraries ## Measure the border to C and C++.
	CARGO_TARGET_DIR=$(HOSTS_TARGET) cargo bench --locked -p comptoir-c --bench border
	mkdir -p target/cpp
	g++ $(CPP_FLAGS) -O2 benches/cpp/border.cpp $(C_STATIC) -o target/cpp/border && target/cpp/border

bench-java: | cargo jdk ## Measure the border to Java, and the rules beside engines in Java.
	CARGO_TARGET_DIR=$(HOSTS_TARGET) cargo build --release --locked -p comptoir-java --features bench
	mvn -q -B -f bindings/java/pom.xml -Pbench -Dnative.directory=$(abspath $(HOSTS_TARGET))/release test-compile exec:exec

.PHONY: java-library
java-library: | cargo
	CARGO_TARGET_DIR=$(HOSTS_TARGET) cargo build --release --locked -p comptoir-java
	mkdir -p $(JAVA_NATIVE)
	objcopy --strip-debug $(HOSTS_TARGET)/release/libcomptoir_java.so $(JAVA_NATIVE)/libcomptoir_java.so

bench: $(VENV)/.native $(VENV)/.bench ## Run the benchmarks, side by side with peers.
	cargo bench --locked --workspace --exclude comptoir-python --exclude comptoir-java
	@for program in $(BENCHES); do echo "== $$program"; $(BIN)/python $$program || exit 1; done

fmt: $(VENV)/.packages | cargo ## Format all code.
	cargo fmt --all
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .

lint: $(VENV)/.packages docs ## Check format, lints, documentation, types and licences.
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy python/comptoir $(EXAMPLES)
	$(MAKE) --no-print-directory licences

licences: $(VENV)/.packages | cargo ## Check licences and sources of all dependencies.
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check licenses bans sources; \
	else $(BIN)/python tools/licences.py; fi

docs: | cargo ## Build the Rust documentation in target/doc.
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps

# Built with Zig's linker against the C library that RHEL 8, Debian 10 and Ubuntu 18.10 have; with WHEEL_FLAGS= against this machine's.
WHEEL_FLAGS ?= --zig --compatibility manylinux_2_28

wheel: $(VENV)/.packages | cargo ## Build the wheel for every Python from 3.10, and the source distribution, in dist/.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check ziglang==0.17.1
	env -u PYO3_NO_PYTHON PATH="$(CURDIR)/$(BIN):$$PATH" CARGO_TARGET_DIR=$(HOSTS_TARGET) VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin build --locked --release $(WHEEL_FLAGS) --out dist
	$(BIN)/maturin sdist --out dist

# Every interpreter of these names that there is.
PYTHONS ?= $(foreach minor,10 11 12 13 14,$(shell command -v python3.$(minor)))

test-wheel: ## Test the wheel in dist/ as installed, with PYTHONS=python3.10 python3.13 ...
	tools/test_wheel "$$(ls -t dist/comptoir-*-abi3-*.whl | head -n 1)" $(PYTHONS)

TARGET ?= json
SECONDS ?= 60

fuzz: | cargo ## Fuzz the C ABI, guided by coverage: TARGET=json or arrow, SECONDS=60.
	tools/fuzz $(TARGET) $(SECONDS)

clean: ## Remove everything that was built.
	rm -rf target bindings/java/target dist $(VENV) out .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find python -name '*.so' -delete

# What the targets above stand on; the stamp files keep a second run from installing again.

.PHONY: cargo
cargo:
	@command -v cargo >/dev/null || { echo 'comptoir: cargo is missing: install Rust 1.92 or later from https://rustup.rs, then open a new shell' >&2; exit 1; }

.PHONY: jdk
jdk:
	@command -v javac >/dev/null || { echo 'comptoir: javac is missing: install a JDK 17 or later (Debian: apt install openjdk-17-jdk-headless)' >&2; exit 1; }
	@command -v mvn >/dev/null || { echo 'comptoir: mvn is missing: install Maven 3.8 or later (Debian: apt install maven)' >&2; exit 1; }

$(VENV)/.packages: requirements-dev.txt tools/setup_venv
	PYTHON=$(PYTHON) tools/setup_venv $(VENV) requirements-dev.txt
	@touch $@

$(VENV)/.bench: requirements-bench.txt $(VENV)/.packages
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

$(VENV)/.native: $(VENV)/.packages $(NATIVE_SOURCES) | cargo
	env -u PYO3_NO_PYTHON CARGO_TARGET_DIR=$(HOSTS_TARGET) VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --locked --release --quiet
	@touch $@
