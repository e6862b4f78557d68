package interop;

import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * The classic pull consumer: reads every queue from its minimum to its maximum, then commits and asks what was
 * committed; ends with one pull outside of the queue's range.
 */
public final class Pull {
    private Pull() {
    }

    @SuppressWarnings("deprecation")
    public static void main(String[] argv) throws Exception {
        Args args = new Args(argv);
        DefaultMQPullConsumer consumer = new DefaultMQPullConsumer(args.need("group"));
        consumer.setNamesrvAddr(args.need("namesrv"));
        consumer.setBrokerSuspendMaxTimeMillis(args.number("suspend", 2000));
        consumer.start();
        Out.event("ready");
        TreeSet<MessageQueue> queues = new TreeSet<>(consumer.fetchSubscribeMessageQueues(args.need("topic")));
        for (MessageQueue queue : queues) {
            drain(consumer, queue, args);
        }
        waitAtEnd(consumer, queues.first());
        consumer.shutdown();
        Out.event("done");
        System.exit(0);
    }

    @SuppressWarnings("deprecation")
    private static void drain(DefaultMQPullConsumer consumer, MessageQueue queue, Args args) throws Exception {
        long max = consumer.maxOffset(queue);
        long min = consumer.minOffset(queue);
        long next = min;
        while (next < max) {
            PullResult result = consumer.pull(queue, args.text("expression", "*"), next, 32);
            next = result.getNextBeginOffset();
            if (result.getPullStatus() == PullStatus.FOUND) {
                for (MessageExt message : result.getMsgFoundList()) {
                    Out.event("message", "ok", true, "message", Payload.describe(message));
                }
            }
        }
        consumer.updateConsumeOffset(queue, next);
        consumer.getOffsetStore().persist(queue);
        PullResult beyond = consumer.pull(queue, "*", max + 1000, 32);
        Out.event("queue", "queueId", queue.getQueueId(), "min", min, "max", max, "next", next,
            "committed", consumer.fetchConsumeOffset(queue, true),
            "beyond", beyond.getPullStatus().name(), "beyondNext", beyond.getNextBeginOffset());
    }

    /** A pull that finds nothing waits at the broker. */
    @SuppressWarnings("deprecation")
    private static void waitAtEnd(DefaultMQPullConsumer consumer, MessageQueue queue) throws Exception {
        long max = consumer.maxOffset(queue);
        long started = System.nanoTime();
        PullResult end = consumer.pullBlockIfNotFound(queue, "*", max, 32);
        Out.event("waited", "status", end.getPullStatus().name(), "next", end.getNextBeginOffset(), "max", max,
            "milliseconds", (System.nanoTime() - started) / 1_000_000);
    }
}
