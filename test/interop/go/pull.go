package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/admin"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// pull polls until --count messages have come, acknowledging each batch.
func pull(args arguments) error {
	client, err := rocketmq.NewPullConsumer(
		consumer.WithNsResolver(args.resolver()),
		consumer.WithGroupName(args["group"]),
		consumer.WithInstance(fmt.Sprint(time.Now().UnixNano())),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
	)
	if err != nil {
		return err
	}
	selector := consumer.MessageSelector{Type: consumer.TAG, Expression: args.text("expression", "*")}
	if err := client.Subscribe(args["topic"], selector); err != nil {
		return err
	}
	if err := client.Start(); err != nil {
		return err
	}
	event("ready", nil)
	for left := args.number("count", 1); left > 0; {
		request, err := client.Poll(context.Background(), 5*time.Second)
		if errors.Is(err, consumer.ErrNoNewMsg) {
			continue
		}
		if err != nil {
			return err
		}
		for _, message := range request.GetMsgList() {
			event("message", fields{"ok": true, "message": describe(message)})
			left--
		}
		client.ACK(context.Background(), request, consumer.ConsumeSuccess)
	}
	if err := client.PersistOffset(context.Background(), args["topic"]); err != nil {
		return err
	}
	if err := client.Shutdown(); err != nil {
		return err
	}
	event("done", nil)
	return nil
}

// administer makes a topic, lists the topics and its queues, deletes it.
func administer(args arguments) error {
	client, err := admin.NewAdmin(admin.WithResolver(args.resolver()))
	if err != nil {
		return err
	}
	background := context.Background()
	err = client.CreateTopic(background, admin.WithTopicCreate(args["topic"]), admin.WithBrokerAddrCreate(args["broker-address"]),
		admin.WithReadQueueNums(3), admin.WithWriteQueueNums(3))
	if err != nil {
		return err
	}
	topics, err := client.FetchAllTopicList(background)
	if err != nil {
		return err
	}
	queues, err := client.FetchPublishMessageQueues(background, args["topic"])
	if err != nil {
		return err
	}
	event("topics", fields{"topics": topics.TopicList, "queues": len(queues), "broker": brokerOf(queues)})
	if err := client.DeleteTopic(background, admin.WithTopicDelete(args["topic"]), admin.WithBrokerAddrDelete(args["broker-address"]), admin.WithNameSrvAddr([]string{args["namesrv"]})); err != nil {
		return err
	}
	event("done", nil)
	return client.Close()
}

func brokerOf(queues []*primitive.MessageQueue) string {
	if len(queues) == 0 {
		return ""
	}
	return queues[0].BrokerName
}
