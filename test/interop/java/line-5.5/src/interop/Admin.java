package interop;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.admin.ConsumeStats;
import org.apache.rocketmq.remoting.protocol.admin.OffsetWrapper;
import org.apache.rocketmq.remoting.protocol.admin.TopicOffset;
import org.apache.rocketmq.remoting.protocol.admin.TopicStatsTable;
import org.apache.rocketmq.remoting.protocol.body.ClusterInfo;
import org.apache.rocketmq.remoting.protocol.body.Connection;
import org.apache.rocketmq.remoting.protocol.body.ConsumerConnection;
import org.apache.rocketmq.remoting.protocol.route.BrokerData;
import org.apache.rocketmq.remoting.protocol.route.QueueData;
import org.apache.rocketmq.remoting.protocol.route.TopicRouteData;
import org.apache.rocketmq.remoting.protocol.subscription.CustomizedRetryPolicy;
import org.apache.rocketmq.remoting.protocol.subscription.ExponentialRetryPolicy;
import org.apache.rocketmq.remoting.protocol.subscription.GroupRetryPolicy;
import org.apache.rocketmq.remoting.protocol.subscription.GroupRetryPolicyType;
import org.apache.rocketmq.remoting.protocol.subscription.SubscriptionGroupConfig;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/** Administration through DefaultMQAdminExt: one command per line on stdin, one "answer" or "refused" per command. */
public final class Admin {
    private final DefaultMQAdminExt admin = new DefaultMQAdminExt("interop-admin");
    private final String broker;
    private final String nameServer;

    private Admin(Args args) {
        broker = args.need("broker-address");
        nameServer = args.need("namesrv");
        admin.setNamesrvAddr(nameServer);
        admin.setInstanceName("admin-" + System.nanoTime());
    }

    public static void main(String[] argv) throws Exception {
        Admin program = new Admin(new Args(argv));
        program.admin.start();
        Dialogue.answer(program::run);
        program.admin.shutdown();
        Out.event("done");
        System.exit(0);
    }

    private Object run(String[] words) throws Exception {
        switch (words[0]) {
            case "create-topic" -> {
                TopicConfig config = new TopicConfig(words[1], Integer.parseInt(words[2]), Integer.parseInt(words[2]), 6);
                admin.createAndUpdateTopicConfig(broker, config);
            }
            case "delete-topic" -> {
                admin.deleteTopicInBroker(Set.of(broker), words[1]);
                admin.deleteTopicInNameServer(Set.of(nameServer), words[1]);
            }
            case "create-group" -> {
                SubscriptionGroupConfig config = new SubscriptionGroupConfig();
                config.setGroupName(words[1]);
                config.setRetryMaxTimes(Integer.parseInt(words[2]));
                admin.createAndUpdateSubscriptionGroupConfig(broker, config);
            }
            case "create-group-retrying" -> admin.createAndUpdateSubscriptionGroupConfig(broker, retrying(words));
            case "delete-group" -> admin.deleteSubscriptionGroup(broker, words[1], true);
            case "reset-offset" ->
                admin.resetOffsetByTimestamp(words[1], words[2], Long.parseLong(words[3]), true);
            default -> {
                return look(words);
            }
        }
        return null;
    }

    private Object look(String[] words) throws Exception {
        return switch (words[0]) {
            case "topic-config" -> {
                TopicConfig config = admin.examineTopicConfig(broker, words[1]);
                yield Map.of("read", config.getReadQueueNums(), "write", config.getWriteQueueNums(),
                    "perm", config.getPerm());
            }
            case "attributes" -> new TreeMap<>(admin.examineTopicConfig(broker, words[1]).getAttributes());
            case "group" -> {
                SubscriptionGroupConfig config = admin.examineSubscriptionGroupConfig(broker, words[1]);
                yield config == null ? null : Map.of("retryMaxTimes", config.getRetryMaxTimes(),
                    "retryQueueNums", config.getRetryQueueNums(), "consumeEnable", config.isConsumeEnable());
            }
            case "group-retrying" -> retryPolicy(admin.examineSubscriptionGroupConfig(broker, words[1]));
            case "topics" -> new TreeSet<>(admin.fetchAllTopicList().getTopicList());
            case "route" -> route(admin.examineTopicRouteInfo(words[1]));
            case "cluster" -> cluster(admin.examineBrokerClusterInfo());
            case "topic-stats" -> topicStats(admin.examineTopicStats(words[1]));
            case "consume-stats" -> consumeStats(admin.examineConsumeStats(words[1]));
            case "connections" -> connections(admin.examineConsumerConnectionInfo(words[1]));
            case "runtime" -> new TreeMap<>(admin.fetchBrokerRuntimeStats(broker).getTable());
            default -> throw new IllegalArgumentException("command " + words[0]);
        };
    }

    /** NAME customized MS MS... or NAME exponential INITIAL MAX MULTIPLIER. */
    private static SubscriptionGroupConfig retrying(String[] words) {
        long[] numbers = Arrays.stream(words).skip(3).mapToLong(Long::parseLong).toArray();
        GroupRetryPolicy policy = new GroupRetryPolicy();
        if (words[2].equals("customized")) {
            policy.setType(GroupRetryPolicyType.CUSTOMIZED);
            policy.setCustomizedRetryPolicy(new CustomizedRetryPolicy(numbers));
        } else {
            policy.setType(GroupRetryPolicyType.EXPONENTIAL);
            policy.setExponentialRetryPolicy(new ExponentialRetryPolicy(numbers[0], numbers[1], numbers[2]));
        }
        SubscriptionGroupConfig config = new SubscriptionGroupConfig();
        config.setGroupName(words[1]);
        config.setGroupRetryPolicy(policy);
        return config;
    }

    private static Object retryPolicy(SubscriptionGroupConfig config) {
        GroupRetryPolicy policy = config.getGroupRetryPolicy();
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("type", policy.getType().name());
        if (policy.getCustomizedRetryPolicy() != null) {
            facts.put("next", Arrays.stream(policy.getCustomizedRetryPolicy().getNext()).boxed().toList());
        }
        if (policy.getExponentialRetryPolicy() != null) {
            ExponentialRetryPolicy exponential = policy.getExponentialRetryPolicy();
            facts.put("exponential",
                List.of(exponential.getInitial(), exponential.getMax(), exponential.getMultiplier()));
        }
        return facts;
    }

    private static Object route(TopicRouteData route) {
        List<Object> brokers = new ArrayList<>();
        for (BrokerData data : route.getBrokerDatas()) {
            brokers.add(Map.of("cluster", data.getCluster(), "broker", data.getBrokerName(),
                "addresses", data.getBrokerAddrs()));
        }
        List<Object> queues = new ArrayList<>();
        for (QueueData data : route.getQueueDatas()) {
            queues.add(Map.of("broker", data.getBrokerName(), "read", data.getReadQueueNums(),
                "write", data.getWriteQueueNums(), "perm", data.getPerm()));
        }
        return Map.of("brokers", brokers, "queues", queues);
    }

    private static Object cluster(ClusterInfo info) {
        Map<String, Object> brokers = new TreeMap<>();
        info.getBrokerAddrTable().forEach((name, data) -> brokers.put(name, data.getBrokerAddrs()));
        return Map.of("brokers", brokers, "clusters", info.getClusterAddrTable());
    }

    private static Object topicStats(TopicStatsTable stats) {
        List<Object> rows = new ArrayList<>();
        for (Map.Entry<MessageQueue, TopicOffset> entry : new TreeMap<>(stats.getOffsetTable()).entrySet()) {
            TopicOffset offset = entry.getValue();
            rows.add(Map.of("queueId", entry.getKey().getQueueId(), "min", offset.getMinOffset(),
                "max", offset.getMaxOffset(), "updated", offset.getLastUpdateTimestamp()));
        }
        return rows;
    }

    private static Object consumeStats(ConsumeStats stats) {
        List<Object> rows = new ArrayList<>();
        for (Map.Entry<MessageQueue, OffsetWrapper> entry : new TreeMap<>(stats.getOffsetTable()).entrySet()) {
            OffsetWrapper offset = entry.getValue();
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("topic", entry.getKey().getTopic());
            row.put("queueId", entry.getKey().getQueueId());
            row.put("broker", offset.getBrokerOffset());
            row.put("consumer", offset.getConsumerOffset());
            row.put("pull", offset.getPullOffset());
            row.put("last", offset.getLastTimestamp());
            rows.add(row);
        }
        return rows;
    }

    private static Object connections(ConsumerConnection connection) {
        List<Object> clients = new ArrayList<>();
        for (Connection client : connection.getConnectionSet()) {
            clients.add(Map.of("clientId", client.getClientId(), "address", client.getClientAddr(),
                "language", client.getLanguage().name(), "version", client.getVersion()));
        }
        Map<String, Object> subscriptions = new TreeMap<>();
        connection.getSubscriptionTable().forEach((topic, data) -> subscriptions.put(topic, data.getSubString()));
        return Map.of("clients", clients, "subscriptions", subscriptions,
            "model", connection.getMessageModel().name(), "from", connection.getConsumeFromWhere().name());
    }
}
