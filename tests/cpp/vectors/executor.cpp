// Vectors of the executor.
#include "runner.hpp"

#include <sstream>

namespace executor = comptoir::executor;

static executor::DType dtype(const std::string &name) {
    static const std::map<std::string, executor::DType> names = {
        {"uint8", executor::DType::u8},    {"int32", executor::DType::i32},   {"int64", executor::DType::i64},
        {"float16", executor::DType::f16}, {"float32", executor::DType::f32}, {"float64", executor::DType::f64}};
    return names.at(name);
}

static Files run(const Case &given) {
    const executor::Pipeline pipeline = executor::Pipeline::start(given["config"]);
    std::vector<std::string> elements;
    std::vector<executor::Tensor> inputs;
    for (std::size_t place = 0; given.has("tensor." + std::to_string(place) + ".txt"); ++place) {
        elements.push_back(given["tensor." + std::to_string(place) + ".bin"]);
    }
    for (std::size_t place = 0; place < elements.size(); ++place) {
        const std::vector<std::string> parts = split(given["tensor." + std::to_string(place) + ".txt"], '\t');
        std::istringstream sides(parts[2]);
        std::vector<std::size_t> shape;
        for (std::size_t side = 0; sides >> side;) {
            shape.push_back(side);
        }
        inputs.emplace_back(parts[0], std::move(shape), dtype(parts[1]), elements[place].data(), elements[place].size());
    }
    const executor::Prediction prediction = given.has("file.bin")
                                                ? pipeline.run_file(given["file.bin"], given["options"])
                                                : pipeline.run(inputs, given["options"]);
    std::string bytes;
    for (std::size_t place = 0; place < prediction.size(); ++place) {
        const comptoir::Span<const std::uint8_t> output = prediction[place].bytes();
        bytes.append(reinterpret_cast<const char *>(output.data()), output.size());
    }
    return {{"expected.bin", bytes}};
}

void add_executor(Operations &operations) {
    operations["executor.run"] = run;
}
