package interop;

import java.util.HashSet;
import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.impl.consumer.RebalanceImpl;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.heartbeat.MessageModel;

/** What the two client lines keep in different packages, or only one of them has. */
final class Compat {
    private Compat() {
    }

    static void broadcast(DefaultMQPushConsumer consumer) {
        consumer.setMessageModel(MessageModel.BROADCASTING);
    }

    @SuppressWarnings("deprecation")
    static Set<MessageQueue> queues(DefaultMQPushConsumer consumer) {
        RebalanceImpl rebalance = consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl();
        Set<MessageQueue> queues = new HashSet<>(rebalance.getProcessQueueTable().keySet());
        queues.addAll(rebalance.getPopProcessQueueTable().keySet());
        return queues;
    }

    /** The broker says which queues this member has, and whether it pops them: --pop-invisible, --pop-batch. */
    static void leaveToBroker(DefaultMQPushConsumer consumer, Args args) {
        consumer.setClientRebalance(false);
        consumer.setPopInvisibleTime(args.number("pop-invisible", 60_000));
        consumer.setPopBatchNums(args.number("pop-batch", 32));
    }

    /** --delay-sec, --delay-ms and --deliver-ms, each if given. */
    static void time(Message message, Args args) {
        if (args.time("delay-sec") != null) {
            message.setDelayTimeSec(args.time("delay-sec"));
        }
        if (args.time("delay-ms") != null) {
            message.setDelayTimeMs(args.time("delay-ms"));
        }
        if (args.time("deliver-ms") != null) {
            message.setDeliverTimeMs(args.time("deliver-ms"));
        }
    }

    static void priority(Message message, int priority) {
        message.setPriority(priority);
    }

    static String recallHandle(SendResult result) {
        return result.getRecallHandle();
    }

    static String recall(DefaultMQProducer producer, String topic, String handle) throws Exception {
        return producer.recallMessage(topic, handle);
    }
}
