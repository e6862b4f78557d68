package interop;

import java.util.Set;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageAccessor;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.common.protocol.heartbeat.MessageModel;

/** What the two client lines keep in different packages, or only one of them has. */
final class Compat {
    private Compat() {
    }

    static void broadcast(DefaultMQPushConsumer consumer) {
        consumer.setMessageModel(MessageModel.BROADCASTING);
    }

    static Set<MessageQueue> queues(DefaultMQPushConsumer consumer) {
        return consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable().keySet();
    }

    /** 4.9 knows only clients that share the queues out themselves, and pulls. */
    static void leaveToBroker(DefaultMQPushConsumer consumer, Args args) {
        throw new UnsupportedOperationException("assignment by the broker came with 5.x");
    }

    /** --delay-sec, --delay-ms and --deliver-ms, each if given: 4.9 has no methods for them, only the properties. */
    static void time(Message message, Args args) {
        property(message, "TIMER_DELAY_SEC", args.time("delay-sec"));
        property(message, "TIMER_DELAY_MS", args.time("delay-ms"));
        property(message, "TIMER_DELIVER_MS", args.time("deliver-ms"));
    }

    private static void property(Message message, String name, Long value) {
        if (value != null) {
            MessageAccessor.putProperty(message, name, value.toString());
        }
    }

    /** 4.9 has only the property. */
    static void priority(Message message, int priority) {
        MessageAccessor.putProperty(message, "_SYS_MSG_PRIORITY_", Integer.toString(priority));
    }

    static String recallHandle(SendResult result) {
        return null;
    }

    static String recall(DefaultMQProducer producer, String topic, String handle) {
        throw new UnsupportedOperationException("recall came with 5.x");
    }
}
