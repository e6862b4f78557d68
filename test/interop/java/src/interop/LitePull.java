package interop;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.client.exception.MQClientException;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.exception.RemotingSendRequestException;

/**
 * The lite pull consumer: --assign false subscribes and lets the group share; true takes all queues, reads them to
 * their end, seeks to their beginning and reads them again, so that each message comes twice or more often.
 * Ends after --count different messages.
 *
 * It seeks only when nothing is left to read. The client (5.5.0, DefaultLitePullConsumerImpl) forgets a seek when the
 * first pull after it fails, or when a pull from before it ends late: the queue goes on where that pull was, and what
 * lies before is never read. Both happen on a busy machine while pulls are under way: a seek interrupts the queue's
 * pull, and when that is just about to send, the client closes the connection, with all that waits there. A pull that
 * waits at the end of its queue is neither about to send nor about to end.
 */
public final class LitePull {
    private LitePull() {
    }

    public static void main(String[] argv) throws Exception {
        Args args = new Args(argv);
        CountDownLatch stop = Stdin.stopLatch();
        DefaultLitePullConsumer consumer = new DefaultLitePullConsumer(args.need("group"));
        consumer.setNamesrvAddr(args.need("namesrv"));
        consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
        consumer.setAutoCommit(false);
        consumer.setPollTimeoutMillis(200);
        if (!args.flag("assign")) {
            consumer.subscribe(args.need("topic"), args.text("expression", "*"));
        }
        consumer.start();
        Collection<MessageQueue> queues = List.of();
        if (args.flag("assign")) {
            queues = consumer.fetchMessageQueues(args.need("topic"));
            consumer.assign(queues);
        }
        Out.event("ready");
        int count = args.number("count", Integer.MAX_VALUE);
        read(consumer, count, stop);
        if (args.flag("assign")) {
            for (MessageQueue queue : queues) {
                seekToBegin(consumer, queue);
            }
            Out.event("begun-again");
            read(consumer, count, stop);
        }
        commit(consumer);
        report(consumer, queues);
        consumer.shutdown();
        Out.event("done");
        System.exit(0);
    }

    /** Reads until it has seen that many different messages. */
    private static void read(DefaultLitePullConsumer consumer, int count, CountDownLatch stop) {
        Set<String> seen = new HashSet<>();
        while (stop.getCount() > 0 && seen.size() < count) {
            for (MessageExt message : consumer.poll()) {
                seen.add(message.getQueueId() + "/" + message.getQueueOffset());
                Out.event("message", "ok", true, "message", Payload.describe(message));
            }
        }
    }

    /**
     * A seek interrupts the queue's pull. When that thread is just about to send a request, the client takes the
     * interruption for a failed send and closes its connection to the broker, and with it whatever else is under way
     * there: the look-ups of the next seek (5.5.0, NettyRemotingClient.invokeSync). The next try has a new connection.
     */
    private static void seekToBegin(DefaultLitePullConsumer consumer, MessageQueue queue) throws Exception {
        for (int tries = 1;; tries++) {
            try {
                consumer.seekToBegin(queue);
                return;
            } catch (MQClientException e) {
                if (!(e.getCause() instanceof RemotingSendRequestException) || tries == 10) {
                    throw e;
                }
            }
        }
    }

    /** The only commit that both client lines have; 5.x calls it deprecated. */
    @SuppressWarnings("deprecation")
    private static void commit(DefaultLitePullConsumer consumer) {
        consumer.commitSync();
    }

    private static void report(DefaultLitePullConsumer consumer, Collection<MessageQueue> queues) throws Exception {
        for (MessageQueue queue : new ArrayList<>(queues)) {
            Out.event("queue", "queueId", queue.getQueueId(), "committed", consumer.committed(queue),
                "atZero", consumer.offsetForTimestamp(queue, 0L));
        }
    }
}
