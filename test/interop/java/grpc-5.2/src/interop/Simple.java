package interop;

import java.io.Closeable;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.rocketmq.client.apis.ClientConfiguration;
import org.apache.rocketmq.client.apis.ClientException;
import org.apache.rocketmq.client.apis.ClientServiceProvider;
import org.apache.rocketmq.client.apis.consumer.SimpleConsumer;
import org.apache.rocketmq.client.apis.message.MessageView;

/** A simple consumer that remembers what it has last received of each key. */
final class Simple implements Closeable {
    private final SimpleConsumer consumer;
    private final Map<String, MessageView> received = new HashMap<>();

    Simple(ClientServiceProvider provider, ClientConfiguration configuration, Args args) throws ClientException {
        consumer = provider.newSimpleConsumerBuilder()
            .setClientConfiguration(configuration)
            .setConsumerGroup(args.need("group"))
            .setAwaitDuration(Duration.ofMillis(args.number("await", 3000)))
            .setSubscriptionExpressions(Map.of(args.need("topic"), Grpc.filter(args)))
            .build();
    }

    Object receive(int maximum, Duration invisible) throws ClientException {
        List<Object> messages = new ArrayList<>();
        for (MessageView message : consumer.receive(maximum, invisible)) {
            received.put(View.key(message), message);
            messages.add(View.describe(message));
        }
        return messages;
    }

    void ack(String key) throws ClientException {
        consumer.ack(received.get(key));
    }

    void invisible(String key, Duration duration) throws ClientException {
        consumer.changeInvisibleDuration(received.get(key), duration);
    }

    @Override
    public void close() throws IOException {
        consumer.close();
    }
}
