// One node of Elasticsearch or OpenSearch on loopback, with the real HTTP transport and nothing else: no security, no plugins.
//
//   java ... SearchNode elasticsearch|opensearch DIRECTORY PORT      (versions 8 and 9, 2 and 3)
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
    Object bundles = call(loaderType, "loadModulesBundles", modules, false);
    Object loader = call(loaderType, "createPluginsLoader", bundles, Set.of(), Map.of(), false);
    return nodeType.getConstructor(type("env.Environment"), loaderType).newInstance(environment, loader);
  }

  /** A static method; one that lacks the last of the arguments, as in Elasticsearch 8, where there is no other. */
  private static Object call(Class<?> type, String name, Object... arguments) throws Exception {
    for (int count = arguments.length; ; count--) {
      for (var method : type.getMethods())
        if (method.getName().equals(name) && method.getParameterCount() == count)
          return method.invoke(null, Arrays.copyOf(arguments, count));
      if (count == 0) throw new NoSuchMethodException(name);
    }
  }

  private static Object open(Class<?> nodeType, Object environment) throws Exception {
    var constructor = Arrays.stream(nodeType.getDeclaredConstructors())
      .filter(each -> each.getParameterCount() == 3)
      .findFirst()
      .orElseThrow();
    constructor.setAccessible(true);
    boolean takesClasses = constructor.getGenericParameterTypes()[1].toString().contains("Class");
    Object plugin = takesClasses ? type("transport.Netty4Plugin") : pluginInfo("transport.Netty4ModulePlugin");
    return constructor.newInstance(environment, List.of(plugin), false);
  }

  /** What OpenSearch 3 wants to know of a plugin that is on the class path. */
  private static Object pluginInfo(String name) throws Exception {
    Class<?> versionType = type("Version");
    return type("plugins.PluginInfo")
      .getConstructor(
        String.class, String.class, String.class, versionType, String.class, String.class, String.class, List.class,
        boolean.class)
      .newInstance(
        base + name, "", "", versionType.getField("CURRENT").get(null), "17", base + name, null, List.of(), false);
  }
}
