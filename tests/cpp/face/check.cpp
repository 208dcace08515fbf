// Tables by Arrow's C data interface, and directories.
#include "check.hpp"

#include <filesystem>

namespace check {
namespace {

// What a schema or an array made by hand owns.
template <class T>
struct Owned {
    std::vector<T> children;
    std::vector<T *> places;
    std::vector<const void *> buffers;
    int *released = nullptr;
};

template <class T>
void release(T *structure) {
    auto *owned = static_cast<Owned<T> *>(structure->private_data);
    if (owned != nullptr) {
        for (T &child : owned->children) {
            if (child.release != nullptr) {
                child.release(&child);
            }
        }
        if (owned->released != nullptr) {
            ++*owned->released;
        }
        delete owned;
    }
    structure->release = nullptr;
}

}  // namespace

comptoir::Table table_of(const std::vector<Column> &columns, std::int64_t rows, int *released) {
    ArrowSchema schema{};
    ArrowArray array{};
    auto *types = new Owned<ArrowSchema>;
    auto *data = new Owned<ArrowArray>;
    data->released = released;
    for (const Column &column : columns) {
        ArrowSchema type{};
        type.format = column.format;
        type.name = column.name;
        type.release = release<ArrowSchema>;
        types->children.push_back(type);
        auto *own = new Owned<ArrowArray>;
        own->buffers = column.buffers;
        ArrowArray values{};
        values.length = rows;
        values.n_buffers = static_cast<std::int64_t>(own->buffers.size());
        values.buffers = own->buffers.data();
        values.release = release<ArrowArray>;
        values.private_data = own;
        data->children.push_back(values);
    }
    for (std::size_t child = 0; child < columns.size(); ++child) {
        types->places.push_back(&types->children[child]);
        data->places.push_back(&data->children[child]);
    }
    schema.format = "+s";
    schema.n_children = array.n_children = static_cast<std::int64_t>(columns.size());
    schema.children = types->places.data();
    schema.release = release<ArrowSchema>;
    schema.private_data = types;
    data->buffers = {nullptr};
    array.length = rows;
    array.n_buffers = 1;
    array.buffers = data->buffers.data();
    array.children = data->places.data();
    array.release = release<ArrowArray>;
    array.private_data = data;
    comptoir::Table table(schema, array);
    CHECK(array.release == nullptr);
    schema.release(&schema);
    return table;
}

Read::Read(comptoir::Table table) : schema{}, array{} {
    ArrowArrayStream *stream = table.get();
    CHECK(stream->get_schema(stream, &schema) == 0);
    CHECK(stream->get_next(stream, &array) == 0 && array.release != nullptr);
}

Read::~Read() {
    array.release(&array);
    schema.release(&schema);
}

Directory::Directory() {
    std::string name = (std::filesystem::temp_directory_path() / "comptoir-XXXXXX").string();
    CHECK(mkdtemp(name.data()) != nullptr);
    path_ = name;
}

Directory::~Directory() {
    std::filesystem::remove_all(path_);
}

}  // namespace check
