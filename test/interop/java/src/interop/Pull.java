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
        for (MessageQueue queue : new TreeSet<>(consumer.fetchSubscribeMessageQueues(args.need("topic")))) {
            drain(consumer, queue, args);
        }
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
        long started = System.currentTimeMillis();
        PullResult end = consumer.pullBlockIfNotFound(queue, "*", next, 32);
        long waited = System.currentTimeMillis() - started;
        PullResult beyond = consumer.pull(queue, "*", max + 1000, 32);
        Out.event("queue", "queueId", queue.getQueueId(), "min", min, "max", max, "next", next,
            "committed", consumer.fetchConsumeOffset(queue, true), "atEnd", end.getPullStatus().name(),
            "atEndNext", end.getNextBeginOffset(), "waited", waited,
            "beyond", beyond.getPullStatus().name(), "beyondNext", beyond.getNextBeginOffset());
    }
}
