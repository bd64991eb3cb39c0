#include "server/resp_cluster.h"

#include <absl/strings/str_cat.h>

#include <cstdint>
#include <optional>

#include "server/connection.h"
#include "server/hash_slot.h"
#include "server/resp_client.h"
#include "server/worker.h"
#include "util/bytes.h"

namespace larder::server {

using protocol::RespCommand;
using protocol::RespSubcommand;

namespace {

// As clients are told to reach the node.
struct Address {
  std::string host;
  int64_t port = 0;
};

// A client of a Unix socket is told port 0: it is here already.
Address AddressFor(const RespCall& call, const EmulatedCluster& cluster) {
  const std::string local = LocalAddress(call.client);
  Address address;
  const size_t colon = local.rfind(':');
  if (colon != std::string::npos && !local.ends_with(":0")) {
    address.host = local.substr(0, colon);
    address.port = util::ParseInt64(local.substr(colon + 1)).value_or(0);
    if (address.host.starts_with('[')) address.host = address.host.substr(1, colon - 2);
  }
  if (!cluster.announced_host.empty()) address.host = cluster.announced_host;
  return address;
}

void AnswerSlots(RespCall& call, const EmulatedCluster& cluster) {
  const Address address = AddressFor(call, cluster);
  call.reply.Array(1);
  call.reply.Array(3);
  call.reply.Integer(0);
  call.reply.Integer(kHashSlots - 1);
  call.reply.Array(4);
  call.reply.Bulk(address.host);
  call.reply.Integer(address.port);
  call.reply.Bulk(call.worker.cluster().run_id);
  call.reply.Array(0);
}

void AnswerShards(RespCall& call, const EmulatedCluster& cluster) {
  const Address address = AddressFor(call, cluster);
  protocol::RespWriter& reply = call.reply;
  reply.Array(1);
  reply.Map(2);
  reply.Bulk("slots");
  reply.Array(2);
  reply.Integer(0);
  reply.Integer(kHashSlots - 1);
  reply.Bulk("nodes");
  reply.Array(1);
  reply.Map(7);
  reply.Bulk("id");
  reply.Bulk(call.worker.cluster().run_id);
  reply.Bulk("port");
  reply.Integer(address.port);
  reply.Bulk("ip");
  reply.Bulk(address.host);
  reply.Bulk("endpoint");
  reply.Bulk(address.host);
  reply.Bulk("role");
  reply.Bulk("master");
  reply.Bulk("replication-offset");
  reply.Integer(0);
  reply.Bulk("health");
  reply.Bulk("online");
}

std::string NodesText(const RespCall& call, const EmulatedCluster& cluster) {
  const Address address = AddressFor(call, cluster);
  // There is no bus between nodes: its port is 0.
  return absl::StrCat(call.worker.cluster().run_id, " ", address.host, ":", address.port,
                      "@0 myself,master - 0 0 1 connected 0-", kHashSlots - 1, "\n");
}

std::string InfoText() {
  return absl::StrCat("cluster_enabled:1\r\ncluster_state:ok\r\ncluster_slots_assigned:",
                      kHashSlots, "\r\ncluster_slots_ok:", kHashSlots,
                      "\r\ncluster_slots_pfail:0\r\ncluster_slots_fail:0\r\n"
                      "cluster_known_nodes:1\r\ncluster_size:1\r\ncluster_current_epoch:1\r\n"
                      "cluster_my_epoch:1\r\ncluster_stats_messages_sent:0\r\n"
                      "cluster_stats_messages_received:0\r\n");
}

}  // namespace

void AnswerCluster(RespCall& call) {
  const std::optional<EmulatedCluster>& cluster = call.worker.cluster().emulated;
  if (!cluster) return call.reply.Error("ERR This instance has cluster support disabled");
  if (call.id != RespCommand::kCluster) return call.reply.Ok();
  (void)call.arguments.Next();
  switch (call.subcommand) {
    case RespSubcommand::kClusterInfo:
      return call.reply.Verbatim(InfoText());
    case RespSubcommand::kClusterKeyslot:
      return call.reply.Integer(HashSlotOf(call.arguments.Next()));
    case RespSubcommand::kClusterMyid:
      return call.reply.Bulk(call.worker.cluster().run_id);
    case RespSubcommand::kClusterNodes:
      return call.reply.Verbatim(NodesText(call, *cluster));
    case RespSubcommand::kClusterShards:
      return AnswerShards(call, *cluster);
    default:
      return AnswerSlots(call, *cluster);
  }
}

}  // namespace larder::server
