// Programs on the Go client, one sub-command each, with the arguments and the output lines of their Java sisters.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

type arguments map[string]string

type fields map[string]interface{}

var output sync.Mutex

func main() {
	rlog.SetLogLevel("error")
	programs := map[string]func(arguments) error{
		"Produce": produce, "Consume": consume, "Pull": pull, "Admin": administer, "Transact": transact,
		"Ask": ask, "Replier": reply,
	}
	if len(os.Args) < 2 || programs[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: interop Produce|Consume|Pull|Admin|Transact|Ask|Replier --name value ...")
		os.Exit(2)
	}
	args := arguments{}
	for i := 2; i+1 < len(os.Args); i += 2 {
		args[os.Args[i][2:]] = os.Args[i+1]
	}
	if err := programs[os.Args[1]](args); err != nil {
		event("error", fields{"message": err.Error()})
		os.Exit(1)
	}
}

func (args arguments) text(name, fallback string) string {
	if value, given := args[name]; given {
		return value
	}
	return fallback
}

func (args arguments) number(name string, fallback int) int {
	value, given := args[name]
	if !given {
		return fallback
	}
	number, err := strconv.Atoi(value)
	if err != nil {
		panic(err)
	}
	return number
}

func (args arguments) resolver() primitive.NsResolver {
	return primitive.NewPassthroughResolver([]string{args["namesrv"]})
}

// trace is for clients that are to write what becomes of their messages into the broker's trace topic.
func (args arguments) trace() *primitive.TraceConfig {
	return &primitive.TraceConfig{Access: primitive.Local, Resolver: args.resolver(), GroupName: "interop-trace"}
}

func event(name string, more fields) {
	rest, err := json.Marshal(more)
	if err != nil {
		panic(err)
	}
	line := fmt.Sprintf("{\"event\":%q", name)
	if len(more) > 0 {
		line += "," + string(rest[1:])
	} else {
		line += "}"
	}
	output.Lock()
	defer output.Unlock()
	fmt.Println(line)
}

// stopSignal closes on "stop" or end of file on stdin: a parent that died leaves nobody behind.
func stopSignal() chan struct{} {
	stop := make(chan struct{})
	go func() {
		lines := bufio.NewScanner(os.Stdin)
		for lines.Scan() && lines.Text() != "stop" {
		}
		close(stop)
	}()
	return stop
}
