#include "source.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace {

namespace fs = std::filesystem;
namespace module = shaddock::module;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class module_source : public testing::Test {
protected:
    module_source() {
        std::string pattern = (fs::temp_directory_path() / "shaddock-source-XXXXXX").string();
        top = mkdtemp(pattern.data());
        fs::create_directory(plugins());
        fs::copy_file(fs::path(SHADDOCK_TEST_MODULES) / "module_good.so", file());
        ::chmod(file().c_str(), 0755);
    }
    ~module_source() override { fs::remove_all(top); }

    fs::path plugins() const { return top / "plugins"; }
    fs::path file() const { return plugins() / "chat.so"; }
    static std::string refusal(const fs::path& of) {
        const auto read = module::read_source(of);
        return read ? "(read)" : std::string(read.error().text());
    }

    fs::path top;
};

std::string bytes_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(module_source, reads_what_opening_needs) {
    const auto read = module::read_source(file());
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->file_size, fs::file_size(file()));
    EXPECT_LT(read->bytes.size(), read->file_size) << "debug information is not read";
    EXPECT_EQ(read->bytes, bytes_of(file()).substr(0, read->bytes.size()));
}

TEST_F(module_source, wants_a_regular_file) {
    EXPECT_THAT(refusal(plugins() / "none.so"), StartsWith("found No such file or directory"));
    EXPECT_THAT(refusal(plugins()), StartsWith("found a folder"));
    ASSERT_EQ(::mkfifo((plugins() / "pipe.so").c_str(), 0600), 0);
    EXPECT_THAT(refusal(plugins() / "pipe.so"), StartsWith("found no regular file"));
}

TEST_F(module_source, wants_a_file_that_others_may_not_write) {
    ::chmod(file().c_str(), 0777);
    EXPECT_THAT(refusal(file()),
                AllOf(HasSubstr("found mode 0777"), HasSubstr("chmod go-w " + file().string())));
    ::chmod(file().c_str(), 0775);
    EXPECT_THAT(refusal(file()), HasSubstr("found mode 0775"));
    ::chmod(file().c_str(), 0555);
    EXPECT_EQ(refusal(file()), "(read)");
}

TEST_F(module_source, wants_a_folder_where_others_cannot_replace_it) {
    ::chmod(plugins().c_str(), 0777);
    EXPECT_THAT(refusal(file()),
                AllOf(HasSubstr("mode 0777"), HasSubstr("chmod o-w " + plugins().string())));
    ::chmod(plugins().c_str(), 01777);
    EXPECT_EQ(refusal(file()), "(read)") << "sticky: only its owner takes a file away";
}

TEST_F(module_source, wants_a_file_of_this_user_or_root) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "only root can give a file to another user";
    }
    ASSERT_EQ(::chown(file().c_str(), 65534, 65534), 0);
    EXPECT_THAT(refusal(file()),
                AllOf(HasSubstr("found a file of user 65534, wanted one of user 0"),
                      HasSubstr("chown 0 " + file().string())));
}

TEST_F(module_source, follows_links_within_the_folder_only) {
    fs::create_directories(plugins() / "releases" / "2");
    fs::copy_file(file(), plugins() / "releases" / "2" / "chat.so");
    fs::create_symlink("releases/2/chat.so", plugins() / "inside.so");
    EXPECT_EQ(refusal(plugins() / "inside.so"), "(read)");

    fs::copy_file(file(), top / "other.so");
    fs::create_symlink("../other.so", plugins() / "outside.so");
    EXPECT_THAT(refusal(plugins() / "outside.so"), AllOf(HasSubstr("found a link that leads to "),
                                                         HasSubstr("other.so, wanted a file"),
                                                         HasSubstr(plugins().filename().string())));

    fs::create_directory_symlink(plugins(), top / "current");
    EXPECT_EQ(refusal(top / "current" / "chat.so"), "(read)") << "the folder may be a link";
}

TEST_F(module_source, reads_again_while_the_file_changes) {
    int readings = 0;
    const auto once = [&] {
        if (++readings == 1) {
            std::ofstream(file(), std::ios::app) << "more";
        }
    };
    const auto read = module::read_source(file(), once);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(readings, 2);
    EXPECT_EQ(read->file_size, fs::file_size(file()));
}

TEST_F(module_source, refuses_a_file_that_does_not_stop_changing) {
    int readings = 0;
    const auto always = [&] {
        ++readings;
        std::ofstream(file(), std::ios::app) << "more";
    };
    const auto read = module::read_source(file(), always);
    ASSERT_FALSE(read);
    EXPECT_EQ(readings, 3);
    EXPECT_THAT(read.error().text(), HasSubstr("found a file that changes while it is read"));
}

TEST_F(module_source, reads_the_old_file_when_a_new_one_takes_its_name) {
    const auto before = bytes_of(file());
    const auto replace = [&] {
        std::ofstream(top / "new.so") << "another";
        fs::rename(top / "new.so", file());
    };
    const auto read = module::read_source(file(), replace);
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->bytes, before.substr(0, read->bytes.size()));
}

} // namespace
