package interop;

import java.io.Closeable;
import java.io.IOException;
import org.apache.rocketmq.client.apis.ClientConfiguration;
import org.apache.rocketmq.client.apis.ClientException;
import org.apache.rocketmq.client.apis.ClientServiceProvider;
import org.apache.rocketmq.client.apis.consumer.LitePushConsumer;
import org.apache.rocketmq.client.apis.consumer.MessageListener;
import org.apache.rocketmq.client.apis.consumer.OffsetOption;

/** A push consumer of one parent topic that gets the lite topics that it is told to subscribe. */
final class Lite implements Closeable {
    private final LitePushConsumer consumer;

    Lite(ClientServiceProvider provider, ClientConfiguration configuration, Args args, MessageListener listener)
        throws ClientException {
        consumer = provider.newLitePushConsumerBuilder()
            .setClientConfiguration(configuration)
            .setConsumerGroup(args.need("group"))
            .bindTopic(args.need("topic"))
            .setConsumptionThreadCount(args.number("threads", 4))
            .setMessageListener(listener)
            .build();
    }

    /** What it is subscribed to then. */
    Object subscribe(String liteTopic, String from) throws ClientException {
        consumer.subscribeLite(liteTopic, switch (from) {
            case "min" -> OffsetOption.MIN_OFFSET;
            case "max" -> OffsetOption.MAX_OFFSET;
            default -> OffsetOption.LAST_OFFSET;
        });
        return consumer.getLiteTopicSet();
    }

    Object unsubscribe(String liteTopic) throws ClientException {
        consumer.unsubscribeLite(liteTopic);
        return consumer.getLiteTopicSet();
    }

    @Override
    public void close() throws IOException {
        consumer.close();
    }
}
