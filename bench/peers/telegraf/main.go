// Command telegraf is InfluxData's Telegraf with the few plugins that the bench's configurations name. It is built from
// Telegraf's own module, at the version that go.mod pins, by ../../telegraf.ts.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/influxdata/telegraf/agent"
	"github.com/influxdata/telegraf/config"
	"github.com/influxdata/telegraf/logger"

	_ "github.com/influxdata/telegraf/plugins/inputs/mqtt_consumer"
	_ "github.com/influxdata/telegraf/plugins/outputs/influxdb"
	_ "github.com/influxdata/telegraf/plugins/parsers/json_v2"
	_ "github.com/influxdata/telegraf/plugins/serializers/influx"
)

func run(file string) error {
	settings := config.NewConfig()
	if err := settings.LoadConfig(file); err != nil {
		return err
	}
	if err := logger.SetupLogging(&logger.Config{Quiet: true}); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return agent.NewAgent(settings).Run(ctx)
}

func main() {
	file := flag.String("config", "", "configuration file")
	version := flag.Bool("version", false, "print the version and end")
	flag.Parse()
	if *version {
		fmt.Println("telegraf version 1.37.1")
		return
	}
	if err := run(*file); err != nil {
		log.Fatal(err)
	}
}
