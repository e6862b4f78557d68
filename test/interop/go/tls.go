//go:build tls

// TLS as the client's development version has it; no release does yet.
package main

import (
	"errors"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

func producerTLS(args arguments) []producer.Option {
	return []producer.Option{producer.WithTls(args["tls"] == "true")}
}

func consumerTLS(args arguments) []consumer.Option {
	return []consumer.Option{consumer.WithTls(args["tls"] == "true")}
}

// transact is for the release: this version has other names for outcomes.
func transact(arguments) error { return errors.New("built with TLS, without transactions") }
