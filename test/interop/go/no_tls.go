//go:build !tls

package main

import (
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

func producerTLS(arguments) []producer.Option { return nil }

func consumerTLS(arguments) []consumer.Option { return nil }
