using System.Collections;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Serialization;

namespace PacsStegoGateway.Configuration;

/// <summary>One option that two configurations have different values of.</summary>
/// <param name="Path">As <c>Section:Key</c>; items of lists by their title or name, <c>Callers[CT1]:Roles</c>, because their places change.</param>
/// <param name="IsLive">It takes effect while the gateway runs; else it waits for a restart.</param>
/// <param name="Before">Text of the value, null when the option was not there; never that of a secret.</param>
/// <param name="After">The same of the other configuration.</param>
public sealed record ConfigurationDifference(string Path, bool IsLive, string? Before, string? After)
{
    public override string ToString() => $"{Path}: {Before ?? "(none)"} -> {After ?? "(none)"}";

    /// <summary>All differences, in the order of the tree.</summary>
    public static IReadOnlyList<ConfigurationDifference> Between(GatewayOptions before, GatewayOptions after)
    {
        Dictionary<string, Leaf> old = Leaves(before), now = Leaves(after);
        return [.. now.Keys.Union(old.Keys)
            .Select(path => (Path: path, Old: old.GetValueOrDefault(path), New: now.GetValueOrDefault(path)))
            .Where(static l => l.Old?.Value != l.New?.Value)
            .Select(static l => new ConfigurationDifference(l.Path, (l.New ?? l.Old)!.IsLive, l.Old?.Shown, l.New?.Shown))];
    }

    /// <summary>
    /// What is in effect when <paramref name="wanted"/> is taken by a gateway that runs with <paramref name="running"/>: the wanted,
    /// but every option that waits for a restart as it runs.
    /// </summary>
    /// <param name="wanted">Changed; not to be used any more.</param>
    public static GatewayOptions TakeLive(GatewayOptions running, GatewayOptions wanted)
    {
        KeepRunning(running, wanted);
        return wanted;
    }

    private static void KeepRunning(object running, object wanted)
    {
        foreach (PropertyInfo property in Options(wanted.GetType()).Where(static p => !p.IsDefined(typeof(LiveAttribute))))
        {
            if (IsSection(property.PropertyType))
            {
                KeepRunning(property.GetValue(running)!, property.GetValue(wanted)!);
            }
            else
            {
                property.SetValue(wanted, property.GetValue(running));
            }
        }
    }

    private static Dictionary<string, Leaf> Leaves(GatewayOptions options)
    {
        var leaves = new Dictionary<string, Leaf>();
        Collect(options, "", isLive: false, leaves);
        return leaves;
    }

    private static void Collect(object section, string path, bool isLive, Dictionary<string, Leaf> leaves)
    {
        foreach (PropertyInfo property in Options(section.GetType()))
        {
            string here = path.Length == 0 ? property.Name : $"{path}:{property.Name}";
            bool live = isLive || property.IsDefined(typeof(LiveAttribute));
            object? value = property.GetValue(section);
            if (IsSection(property.PropertyType))
            {
                Collect(value!, here, live, leaves);
            }
            else if (value is IList list && IsSection(property.PropertyType.GetGenericArguments()[0]))
            {
                for (int i = 0; i < list.Count; i++)
                {
                    string item = $"{here}[{NameOf(list[i]!) ?? i.ToString(CultureInfo.InvariantCulture)}]";
                    // A name that stands twice is told by its place as well.
                    Collect(list[i]!, leaves.Keys.Any(k => k.StartsWith(item + ":", StringComparison.Ordinal)) ? $"{item}[{i}]" : item, live, leaves);
                }

                if (property.Name is nameof(GatewayOptions.Routes))
                {
                    // The first rule that fits decides: their order is a value of its own.
                    leaves.Add(here, Leaf.Of(string.Join(", ", list.Cast<object>().Select(NameOf)), live));
                }
            }
            else if (property.IsDefined(typeof(SecretAttribute)))
            {
                leaves.Add(here, new Leaf(Text(value), value is null ? null : "(secret)", live));
            }
            else
            {
                leaves.Add(here, Leaf.Of(Text(value), live));
            }
        }
    }

    private static string? Text(object? value) => value switch
    {
        null => null,
        string text => text,
        IDictionary<string, string> texts => string.Join("; ", texts.OrderBy(static t => t.Key, StringComparer.Ordinal).Select(static t => $"{t.Key}={t.Value}")),
        IEnumerable several => string.Join(", ", several.Cast<object>()),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };

    /// <summary>What an item of a list is called: the first of these that it has.</summary>
    private static string? NameOf(object item) => ((string[])["Name", "AETitle", "Account"])
        .Select(name => item.GetType().GetProperty(name)?.GetValue(item) as string)
        .FirstOrDefault(static name => !string.IsNullOrEmpty(name));

    private static IEnumerable<PropertyInfo> Options(Type section) => section.GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Where(static p => p.CanWrite && !p.IsDefined(typeof(JsonIgnoreAttribute)));

    private static bool IsSection(Type type) => type.IsClass && type.Namespace == typeof(GatewayOptions).Namespace;

    private sealed record Leaf(string? Value, string? Shown, bool IsLive)
    {
        public static Leaf Of(string? value, bool isLive) => new(value, value, isLive);
    }
}
