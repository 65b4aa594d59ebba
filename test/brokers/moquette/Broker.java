// Moquette on loopback, open to every client: java -cp '.:*' Broker FOLDER PORT. It keeps its files below FOLDER.

import io.moquette.broker.Server;
import io.moquette.broker.config.MemoryConfig;
import java.util.Properties;

public class Broker {
  public static void main(String[] args) throws Exception {
    Properties settings = new Properties();
    settings.setProperty("host", "127.0.0.1");
    settings.setProperty("port", args[1]);
    settings.setProperty("allow_anonymous", "true");
    settings.setProperty("allow_zero_byte_client_id", "true");
    settings.setProperty("data_path", args[0]);
    settings.setProperty("persistence_enabled", "true");
    settings.setProperty("telemetry_enabled", "false");
    Server broker = new Server();
    broker.startServer(new MemoryConfig(settings));
    Runtime.getRuntime().addShutdownHook(new Thread(broker::stopServer));
    Thread.currentThread().join();
  }
}
