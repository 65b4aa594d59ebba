// One node of Elasticsearch or OpenSearch on loopback, with the real HTTP transport and nothing else: no security, no plugins.
//
//   java ... SearchNode elasticsearch|opensearch DIRECTORY PORT
//
// By reflection alone, so that one JDK compiles it for servers that are built with a newer one. DIRECTORY is the home of the
// node, of which `modules` belongs to Elasticsearch.

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

public class SearchNode {
  private static String base;

  public static void main(String[] arguments) throws Exception {
    boolean isElastic = arguments[0].equals("elasticsearch");
    base = isElastic ? "org.elasticsearch." : "org.opensearch.";
    if (isElastic) type("common.logging.LogConfigurator").getMethod("configureESLogging").invoke(null);
    Class<?> settingsType = type("common.settings.Settings");
    Object builder = settingsType.getMethod("builder").invoke(null);
    var put = builder.getClass().getMethod("put", String.class, String.class);
    String home = arguments[1];
    for (String[] setting : new String[][] {
      {"path.home", home},
      {"path.data", home + "/data"},
      {"path.logs", home + "/logs"},
      {"cluster.name", "test"},
      {"node.name", "n1"},
      {"discovery.type", "single-node"},
      {"network.host", "127.0.0.1"},
      {"http.port", arguments[2]},
      {"transport.port", "0"},
      {"http.type", "netty4"},
      {"transport.type", "netty4"},
      {"cluster.routing.allocation.disk.threshold_enabled", "false"},
    }) put.invoke(builder, setting[0], setting[1]);
    if (!isElastic) put.invoke(builder, "node.store.allow_mmap", "false");
    Object settings = builder.getClass().getMethod("build").invoke(builder);
    Object environment = type("node.InternalSettingsPreparer")
      .getMethod("prepareEnvironment", settingsType, Map.class, Path.class, Supplier.class)
      .invoke(null, settings, Map.of(), null, (Supplier<String>) () -> "n1");
    Class<?> nodeType = type("node.Node");
    Object node = isElastic ? elastic(nodeType, environment, Path.of(home, "modules")) : open(nodeType, environment);
    nodeType.getMethod("start").invoke(node);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> {
      try {
        nodeType.getMethod("close").invoke(node);
      } catch (Exception e) {
        // The process ends anyway.
      }
    }));
    System.out.println("ready");
    Thread.currentThread().join();
  }

  private static Class<?> type(String name) throws ClassNotFoundException {
    return Class.forName(base + name);
  }

  private static Object elastic(Class<?> nodeType, Object environment, Path modules) throws Exception {
    Class<?> loaderType = type("plugins.PluginsLoader");
    Object bundles = loaderType.getMethod("loadModulesBundles", Path.class, boolean.class).invoke(null, modules, false);
    Object loader = loaderType.getMethod("createPluginsLoader", Set.class, Set.class, Map.class, boolean.class)
      .invoke(null, bundles, Set.of(), Map.of(), false);
    return nodeType.getConstructor(type("env.Environment"), loaderType).newInstance(environment, loader);
  }

  private static Object open(Class<?> nodeType, Object environment) throws Exception {
    var constructor = Arrays.stream(nodeType.getDeclaredConstructors())
      .filter(each -> each.getParameterCount() == 3)
      .findFirst()
      .orElseThrow();
    constructor.setAccessible(true);
    return constructor.newInstance(environment, List.of(type("transport.Netty4Plugin")), false);
  }
}
