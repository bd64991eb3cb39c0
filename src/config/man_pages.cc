#include "config/man_pages.h"

#include <string_view>

#include "config/help.h"
#include "config/settings.h"
#include "larder/version.h"

namespace larder::config {
namespace {

constexpr std::string_view kDaemonHead = R"(.SH NAME
larderd \- a cache server that speaks Memcached
.SH SYNOPSIS
.B larderd
.RI [ FLAG ]...
.SH DESCRIPTION
.B larderd
keeps values under keys in memory and serves them to clients of Memcached's classic text, meta and
binary protocols. It listens on 127.0.0.1, port 11211, unless told otherwise, in the foreground, and
logs to stderr. Its admin door, port 11212 of the same host, has figures for Prometheus.
.PP
Flags that
.BR memcached (1)
has are memcached's. A flag counts before its variable, the variable before the file of
.BR \-\-config ,
the file before the file of
.BR \-\-memcached\-conf ,
that before the default. Sizes take the units k, m, g, t; times s, m, h, d. What is unknown or wrong
stops the start with one sentence.
)";

constexpr std::string_view kDaemonTail = R"(.SH ENVIRONMENT
.TP
.BR LARDER_PORT ", " LARDER_MEMORY_LIMIT ", ..."
Each setting has a variable of its long name. A variable that is set to nothing is not set; an
unknown one that begins with LARDER_ stops the start.
.TP
.BR LARDER_CONFIG ", " LARDER_MEMCACHED_CONF
As
.B \-\-config
and
.BR \-\-memcached\-conf .
.TP
.BR NOTIFY_SOCKET ", " WATCHDOG_USEC ", " LISTEN_FDS
Of a service manager; see
.BR SERVICE .
.SH SIGNALS
.TP
.BR SIGTERM ", " SIGINT
Accepts no more clients; those that are owed something have four seconds to take it. A second signal
ends at once.
.TP
.B SIGHUP
Reads the file of users
.RB ( \-\-auth\-file )
again. If it cannot be read, the users stay as they were.
.SH SERVICE
.B systemctl start larderd
starts the daemon with
.IR /etc/larder/larder.conf ;
.B larderd@NAME
is another one, with
.IR /etc/larder/NAME.conf ,
which gives it a port and an admin\-listen of its own. The service is ready when every core serves, and its watchdog is
fed as long as every core does.
.PP
With
.BR larderd.socket ,
systemd listens in its place: the sockets it passes are served by all cores instead of those in the
settings, and clients that come while the service restarts wait.
.B larderd\-admin.socket
does the same for the admin door (\fIFileDescriptorName=admin\fR).
.SH EXIT STATUS
0 after a signal; 64 if a flag, a variable or a file is wrong; 1 if the server could not start.
.SH SECURITY
Whoever reaches the port reads and changes everything, unless users are named with
.BR \-\-auth\-file .
.SH EXAMPLES
.nf
.B larderd \-m 1024 \-t 4
.B larderd \-\-memcached\-conf /etc/memcached.conf
.fi
.SH SEE ALSO
.BR larder.conf (5),
.BR systemd.socket (5)
)";

constexpr std::string_view kFileManualHead = R"(.SH NAME
larder.conf \- settings of larderd
.SH DESCRIPTION
.BR larderd (8)
reads the file that
.B \-\-config
names; its service reads
.IR /etc/larder/larder.conf .
The format is TOML without sections: a name, an equals sign and a value on a line; texts are in
quotes, lists in brackets, and a
.B #
begins a comment. Sizes take the units k, m, g, t, and times s, m, h, d, in quotes: "1g", "90s".
.PP
A flag and a variable count before the file. An unknown name, a name that is given twice and a value
out of bounds stop the start, with the line that is wrong.
)";

constexpr std::string_view kFileTail = R"(.SH FILES
.TP
.I /etc/larder/larder.conf
Every setting at its default, as comments;
.B larderd \-\-print\-config
prints it.
.SH EXAMPLES
.nf
memory\-limit = "4g"
listen = ["127.0.0.1", "10.0.0.5"]
conn\-limit = 10000
.fi
.SH SEE ALSO
.BR larderd (8)
)";

// A page says when it was changed; ours changes with the version.
std::string Title(std::string_view name, std::string_view section) {
  return ".\\\" Generated from settings.def.\n.TH " + std::string(name) + " " +
         std::string(section) + " \"\" \"larder " + std::string(kVersion) + "\"\n.nh\n.ad l\n";
}

// Text for roff: what would be a control character is not, and `words` in backquotes are bold.
std::string Roff(std::string_view text) {
  std::string out;
  bool bold = false;
  for (const char c : text) {
    if (c == '`') {
      out += bold ? "\\fR" : "\\fB";
      bold = !bold;
    } else if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else if (c == '.' && (out.empty() || out.back() == '\n')) {
      out += "\\&.";
    } else {
      out += c;
    }
  }
  return out;
}

struct Named {
  std::string_view flag;
  std::string_view long_name;
  std::string_view placeholder;
};

std::string FlagNames(const Named& named) {
  std::string out = "\\fB";
  if (!named.flag.empty()) out += "\\-" + Roff(named.flag) + "\\fR, \\fB";
  out += "\\-\\-" + Roff(named.long_name) + "\\fR";
  if (!named.placeholder.empty()) out += " \\fI" + std::string(named.placeholder) + "\\fR";
  return out;
}

// Calls `visit(info)` for each setting, after `open(group)` where a group begins.
template <typename Open, typename Visit>
void ForEachSetting(const Open& open, const Visit& visit) {
  std::string_view group;
  for (const SettingInfo& info : AllSettings()) {
    if (info.group != group) open(group = info.group);
    visit(info);
  }
}

// "auto, event, uring" of a sentence that ends in a list of words; none for other types.
std::string_view Words(ValueType type) {
  if (type == ValueType::kIo) return "auto uring event";
  if (type == ValueType::kProtocol) return "auto ascii binary";
  if (type == ValueType::kCluster) return "off emulated";
  return "";
}

}  // namespace

std::string DaemonManPage() {
  std::string out = Title("LARDERD", "8");
  out += kDaemonHead;
  out += ".SH OPTIONS\n";
  ForEachSetting(
      [&](std::string_view group) { out += ".SS " + std::string(group) + "\n"; },
      [&](const SettingInfo& info) {
        out += ".TP\n" + FlagNames({info.flag, info.long_name, Placeholder(info.type)}) + "\n";
        out += Roff(info.help) + "\n";
        if (!info.IsFlagOnly() && !info.default_text.empty()) {
          out += "Default: " + Roff(info.default_text) + ".\n";
        }
      });
  out += ".SS Other\n";
  for (const OtherFlag& other : OtherFlags()) {
    out += ".TP\n" + FlagNames({other.flag, other.long_name, other.placeholder}) + "\n";
    out += Roff(other.help) + "\n";
  }
  out += kDaemonTail;
  return out;
}

std::string FileManPage() {
  std::string out = Title("LARDER.CONF", "5");
  out += kFileManualHead;
  out += ".SH SETTINGS\n";
  ForEachSetting([&](std::string_view group) { out += ".SS " + std::string(group) + "\n"; },
                 [&](const SettingInfo& info) {
                   out += ".TP\n\\fB" + Roff(info.long_name) + "\\fR = " + Roff(FileValue(info));
                   out += "\n" + Roff(info.help) + "\n.br\nAs a flag: ";
                   out += FlagNames({info.flag, info.long_name, Placeholder(info.type)});
                   out += "; as a variable: \\fB" + info.Variable() + "\\fR.\n";
                 });
  out += kFileTail;
  return out;
}

std::string BashCompletion() {
  std::string flags;
  std::string values;
  for (const SettingInfo& info : AllSettings()) {
    const std::string name = "--" + std::string(info.long_name);
    flags += " " + name;
    if (const std::string_view words = Words(info.type); !words.empty()) {
      values += "    " + name + (info.flag.empty() ? "" : "|-" + std::string(info.flag)) +
                ") words='" + std::string(words) + "' ;;\n";
    }
  }
  for (const OtherFlag& other : OtherFlags()) flags += " --" + std::string(other.long_name);
  return "# bash completion of larderd(8); generated from settings.def.\n"
         "_larderd() {\n"
         "  local current previous words=''\n"
         "  current=${COMP_WORDS[COMP_CWORD]}\n"
         "  previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
         "  if [[ $current == '=' ]]; then current=''; fi\n"
         "  if [[ $previous == '=' ]]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi\n"
         "  case $previous in\n" +
         values +
         "    --config|--memcached-conf|--auth-file|--pidfile|--unix-socket|-Y|-P|-s)\n"
         "      mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
         "      return ;;\n"
         "    *) words='" +
         flags.substr(1) +
         "' ;;\n"
         "  esac\n"
         "  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
         "}\n"
         "complete -F _larderd larderd\n";
}

}  // namespace larder::config
