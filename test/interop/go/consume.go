package main

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync/atomic"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

func consume(args arguments) error {
	orderly := args["mode"] == "orderly"
	model := consumer.Clustering
	if args["mode"] == "broadcasting" {
		model = consumer.BroadCasting
	}
	from := consumer.ConsumeFromFirstOffset
	if args["from"] == "last" {
		from = consumer.ConsumeFromLastOffset
	}
	options := []consumer.Option{
		consumer.WithNsResolver(args.resolver()),
		consumer.WithGroupName(args["group"]),
		consumer.WithInstance(args.text("instance", fmt.Sprint(time.Now().UnixNano()))),
		consumer.WithConsumerModel(model),
		consumer.WithConsumeFromWhere(from),
		consumer.WithConsumerOrder(orderly),
		consumer.WithMaxReconsumeTimes(int32(args.number("max-reconsume", -1))),
		consumer.WithConsumeMessageBatchMaxSize(1),
		consumer.WithSuspendCurrentQueueTimeMillis(time.Second),
		consumer.WithStrategy(reportQueues),
	}
	if args["trace"] == "true" {
		options = append(options, consumer.WithTrace(args.trace()))
	}
	client, err := rocketmq.NewPushConsumer(append(options, consumerTLS(args)...)...)
	if err != nil {
		return err
	}
	stop := stopSignal()
	enough := make(chan struct{})
	listener := listen(args, orderly, enough)
	selector := consumer.MessageSelector{Type: consumer.TAG, Expression: args.text("expression", "*")}
	for _, topic := range strings.Split(args["topic"], ",") {
		if err := client.Subscribe(topic, selector, listener); err != nil {
			return err
		}
	}
	if err := client.Start(); err != nil {
		return err
	}
	event("ready", nil)
	select {
	case <-stop:
	case <-enough:
	}
	time.Sleep(time.Duration(args.number("linger", 0)) * time.Millisecond)
	if err := client.Shutdown(); err != nil {
		return err
	}
	event("done", nil)
	return nil
}

// reportQueues is the averaging strategy that says what it allotted: the client has no other window on that.
func reportQueues(group, self string, queues []*primitive.MessageQueue, members []string) []*primitive.MessageQueue {
	held := consumer.AllocateByAveragely(group, self, queues, members)
	if len(queues) > 0 && !strings.HasPrefix(queues[0].Topic, "%RETRY%") {
		ids := []int{}
		for _, queue := range held {
			ids = append(ids, queue.QueueId)
		}
		sort.Ints(ids)
		event("queues", fields{"held": ids, "at": time.Now().UnixMilli()})
	}
	return held
}

func listen(args arguments, orderly bool, enough chan struct{}) func(context.Context, ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
	var deliveries int64
	fail, count := int32(args.number("fail", 0)), int64(args.number("count", -1))
	return func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		result := consumer.ConsumeSuccess
		for _, message := range messages {
			ok := message.ReconsumeTimes >= fail
			if !ok {
				result = consumer.ConsumeRetryLater
				if orderly {
					result = consumer.SuspendCurrentQueueAMoment
				}
			}
			event("message", fields{"ok": ok, "at": time.Now().UnixMilli(), "message": describe(message)})
			if atomic.AddInt64(&deliveries, 1) == count {
				close(enough)
			}
		}
		return result, nil
	}
}
