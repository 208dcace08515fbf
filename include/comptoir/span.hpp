/// @file
/// A view of elements in a row, for C++17.
#ifndef COMPTOIR_SPAN_HPP
#define COMPTOIR_SPAN_HPP

#include <cstddef>
#include <type_traits>
#include <utility>

namespace comptoir {

/// Elements in a row that somebody else owns, as `std::span` of C++20.
template <class T>
class Span {
public:
    constexpr Span() noexcept = default;
    constexpr Span(T *data, std::size_t size) noexcept : data_(data), size_(size) {}

    /// The elements of a container that has them in a row: a vector, an array, a `std::span`.
    template <class C, class = std::enable_if_t<
                           !std::is_same_v<std::decay_t<C>, Span> &&
                           std::is_convertible_v<decltype(std::declval<C &>().data()), T *>>>
    constexpr Span(C &&container) noexcept : data_(container.data()), size_(container.size()) {}

    /// The elements of an array.
    template <std::size_t N>
    constexpr Span(T (&array)[N]) noexcept : data_(array), size_(N) {}

    constexpr T *data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr bool empty() const noexcept { return size_ == 0; }
    constexpr T *begin() const noexcept { return data_; }
    constexpr T *end() const noexcept { return data_ + size_; }
    constexpr T &operator[](std::size_t place) const noexcept { return data_[place]; }

private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace comptoir

#endif
