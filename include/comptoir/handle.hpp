/// @file
/// What owns the handles of the library.
#ifndef COMPTOIR_HANDLE_HPP
#define COMPTOIR_HANDLE_HPP

#include <comptoir/error.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace comptoir {

/// The version of the library, such as `0.1.0`.
inline std::string_view version() noexcept {
    return comptoir_version();
}

namespace detail {

/// Frees a handle by the function of its kind.
template <class T, comptoir_status (*Free)(T *)>
struct Freed {
    void operator()(T *handle) const noexcept { Free(handle); }
};

/// Owns a handle: movable, never copied.
template <class T, comptoir_status (*Free)(T *)>
using Handle = std::unique_ptr<T, Freed<T, Free>>;

/// Text of the library as a string.
class Text {
public:
    Text() noexcept = default;
    Text(const Text &) = delete;
    Text &operator=(const Text &) = delete;
    ~Text() { comptoir_text_free(&text_); }

    /// Where the library writes it.
    comptoir_text *out() noexcept { return &text_; }
    /// A copy of it.
    std::string str() const { return text_.length == 0 ? std::string() : std::string(text_.data, text_.length); }

private:
    comptoir_text text_{nullptr, 0};
};

/// A view for C.
inline comptoir_string view(std::string_view text) noexcept {
    return {text.data(), text.size()};
}

/// A view of text that the library lends.
inline std::string_view view(const comptoir_string &text) noexcept {
    return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.length);
}

}  // namespace detail
}  // namespace comptoir

#endif
