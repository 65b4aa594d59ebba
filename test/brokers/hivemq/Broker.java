// HiveMQ CE on loopback, open to every client: java -cp '.:*' Broker FOLDER PORT. It keeps its files below FOLDER.

import com.hivemq.configuration.service.InternalConfigurations;
import com.hivemq.embedded.EmbeddedHiveMQ;
import java.nio.file.Files;
import java.nio.file.Path;

public class Broker {
  public static void main(String[] args) throws Exception {
    Path home = Path.of(args[0]);
    Path settings = Files.createDirectories(home.resolve("conf"));
    for (String folder : new String[] {"data", "extensions", "log"}) Files.createDirectories(home.resolve(folder));
    Files.writeString(settings.resolve("config.xml"), """
        <hivemq>
          <listeners><tcp-listener><port>%s</port><bind-address>127.0.0.1</bind-address></tcp-listener></listeners>
          <mqtt><queued-messages><max-queue-size>20000</max-queue-size></queued-messages></mqtt>
          <anonymous-usage-statistics><enabled>false</enabled></anonymous-usage-statistics>
        </hivemq>
        """.formatted(args[1]));
    // Without an extension that says who may connect it refuses everybody.
    InternalConfigurations.AUTH_DENY_UNAUTHENTICATED_CONNECTIONS.set(false);
    EmbeddedHiveMQ broker = EmbeddedHiveMQ.builder()
        .withConfigurationFolder(settings)
        .withDataFolder(home.resolve("data"))
        .withExtensionsFolder(home.resolve("extensions"))
        .build();
    broker.start().join();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> broker.stop().join()));
    Thread.currentThread().join();
  }
}
