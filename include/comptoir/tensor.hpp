/// @file
/// Tensors of the executor.
#ifndef COMPTOIR_TENSOR_HPP
#define COMPTOIR_TENSOR_HPP

#include <comptoir/handle.hpp>
#include <comptoir/span.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>
#include <vector>

namespace comptoir::executor {

/// Types of elements.
enum class DType : std::uint32_t {
    u8 = COMPTOIR_DTYPE_U8,
    i32 = COMPTOIR_DTYPE_I32,
    i64 = COMPTOIR_DTYPE_I64,
    f16 = COMPTOIR_DTYPE_F16,
    f32 = COMPTOIR_DTYPE_F32,
    f64 = COMPTOIR_DTYPE_F64,
};

namespace detail {

/// The type of elements that a C++ type is.
template <class T>
constexpr DType dtype_of() noexcept {
    using Bare = std::remove_const_t<T>;
    static_assert(std::is_same_v<Bare, std::uint8_t> || std::is_same_v<Bare, std::int32_t> ||
                      std::is_same_v<Bare, std::int64_t> || std::is_same_v<Bare, float> || std::is_same_v<Bare, double>,
                  "a tensor has elements of uint8_t, int32_t, int64_t, float or double");
    if constexpr (std::is_same_v<Bare, std::uint8_t>) {
        return DType::u8;
    } else if constexpr (std::is_same_v<Bare, std::int32_t>) {
        return DType::i32;
    } else if constexpr (std::is_same_v<Bare, std::int64_t>) {
        return DType::i64;
    } else if constexpr (std::is_same_v<Bare, float>) {
        return DType::f32;
    } else {
        return DType::f64;
    }
}

}  // namespace detail

/// A tensor that somebody else owns, for as long as they say.
class TensorView {
public:
    /// What C lends.
    explicit TensorView(const comptoir_tensor &tensor) noexcept : tensor_(tensor) {}

    /// Name of the input or output.
    std::string_view name() const noexcept { return tensor_.name == nullptr ? "" : tensor_.name; }
    /// Type of the elements.
    DType dtype() const noexcept { return static_cast<DType>(tensor_.dtype); }
    /// Sides.
    Span<const std::size_t> shape() const noexcept { return {tensor_.shape, tensor_.rank}; }
    /// The elements as bytes.
    Span<const std::uint8_t> bytes() const noexcept {
        return {static_cast<const std::uint8_t *>(tensor_.data), tensor_.bytes};
    }
    /// The elements. Throws `std::bad_cast` where they have another type.
    template <class T>
    Span<const T> elements() const {
        if (dtype() != detail::dtype_of<T>()) {
            throw std::bad_cast();
        }
        return {static_cast<const T *>(tensor_.data), tensor_.bytes / sizeof(T)};
    }

private:
    comptoir_tensor tensor_;
};

/// An input of a request: elements that are copied when it is submitted.
class Tensor {
public:
    /// Elements of a shape; the name may be empty where the model has one input. The elements must stay until the call.
    template <class T>
    Tensor(std::string name, std::vector<std::size_t> shape, Span<const T> elements)
        : Tensor(std::move(name), std::move(shape), detail::dtype_of<T>(), elements.data(),
                 elements.size() * sizeof(T)) {}

    /// The same with bytes of a type that C++ does not have, such as half precision.
    Tensor(std::string name, std::vector<std::size_t> shape, DType dtype, const void *data, std::size_t bytes)
        : name_(std::move(name)), shape_(std::move(shape)), dtype_(dtype), data_(data), bytes_(bytes) {}

    /// The tensor for C, for as long as this one lives.
    comptoir_tensor get() const noexcept {
        return {name_.c_str(), static_cast<std::uint32_t>(dtype_), shape_.data(), shape_.size(),
                const_cast<void *>(data_), bytes_};
    }

private:
    std::string name_;
    std::vector<std::size_t> shape_;
    DType dtype_;
    const void *data_;
    std::size_t bytes_;
};

/// The prediction for one request: a row of each output of the model. Any number of threads may read it at once.
class Prediction {
public:
    /// Takes a handle over.
    explicit Prediction(comptoir_prediction *handle) noexcept : handle_(handle) {}

    /// How many outputs there are.
    std::size_t size() const {
        std::size_t count = 0;
        comptoir::detail::check(comptoir_prediction_output_count(handle_.get(), &count));
        return count;
    }
    /// The row of an output, for as long as the prediction lives.
    TensorView operator[](std::size_t place) const {
        comptoir_tensor output{};
        comptoir::detail::check(comptoir_prediction_output(handle_.get(), place, &output));
        return TensorView(output);
    }

private:
    comptoir::detail::Handle<comptoir_prediction, comptoir_prediction_free> handle_;
};

/// The row of the forming batch that a `preprocess` writes; for the call.
class Row {
public:
    explicit Row(comptoir_row *row) noexcept : row_(row) {}

    /// Takes the row of a model with one input of this shape; its elements are to be written before `preprocess` returns.
    template <class T>
    T *reserve(std::initializer_list<std::size_t> shape) const {
        const comptoir_tensor described{"",      static_cast<std::uint32_t>(detail::dtype_of<T>()),
                                        shape.begin(), shape.size(),
                                        nullptr, 0};
        void *data = nullptr;
        reserve({&described, 1}, &data);
        return static_cast<T *>(data);
    }
    /// The same for several inputs; `data` gets a place for each.
    void reserve(Span<const comptoir_tensor> described, void **data) const {
        comptoir::detail::check(comptoir_row_reserve(row_, described.data(), described.size(), data));
    }

private:
    comptoir_row *row_;
};

/// A batch that a model is to run; for the call.
class Batch {
public:
    explicit Batch(const comptoir_batch &batch) noexcept : batch_(batch) {}

    /// Rows; the first side of each input.
    std::size_t rows() const noexcept { return batch_.rows; }
    /// How many inputs the model has.
    std::size_t size() const noexcept { return batch_.input_count; }
    /// An input, by its place from 0.
    TensorView operator[](std::size_t place) const { return TensorView(batch_.inputs[place]); }

private:
    comptoir_batch batch_;
};

/// Where an `infer` puts its predictions; for the call.
class Outputs {
public:
    explicit Outputs(comptoir_outputs *outputs) noexcept : outputs_(outputs) {}

    /// Adds an output of zeros, whose first side is the number of rows; its elements are to be written before `infer`
    /// returns.
    template <class T>
    T *add(const char *name, std::initializer_list<std::size_t> shape) const {
        const comptoir_tensor described{name,    static_cast<std::uint32_t>(detail::dtype_of<T>()),
                                        shape.begin(), shape.size(),
                                        nullptr, 0};
        void *data = nullptr;
        comptoir::detail::check(comptoir_outputs_add(outputs_, &described, &data));
        return static_cast<T *>(data);
    }

private:
    comptoir_outputs *outputs_;
};

}  // namespace comptoir::executor

#endif
