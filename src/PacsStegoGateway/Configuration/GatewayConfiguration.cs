using System.Collections;
using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace PacsStegoGateway.Configuration;

/// <summary>Reads <see cref="GatewayOptions"/> from file, environment and switches, and prints them without secrets.</summary>
public static class GatewayConfiguration
{
    /// <summary>Prefix of environment variables: <c>PSG__Listen__Port=104</c>.</summary>
    public const string EnvironmentPrefix = "PSG__";

    private static readonly JsonSerializerOptions Printing = new()
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    /// <summary>Reads and checks everything.</summary>
    /// <param name="file">The JSON file, or null for defaults, environment and switches alone.</param>
    /// <param name="switches"><c>--Section:Key=value</c>.</param>
    /// <exception cref="ConfigurationException">Anything is wrong; all of it is listed.</exception>
    public static GatewayOptions Load(string? file, IReadOnlyList<string> switches)
    {
        var problems = new List<ConfigurationProblem>();
        GatewayOptions? options = Read(file, switches, problems);
        problems.AddRange(options is null ? [] : GatewayOptionsValidator.Validate(options));
        return options is not null && problems.Count == 0 ? options : throw new ConfigurationException(problems);
    }

    /// <summary>Reads a file alone, without environment and switches.</summary>
    /// <inheritdoc cref="Read(string, IReadOnlyList{string}, List{ConfigurationProblem})"/>
    public static GatewayOptions? Read(string file, List<ConfigurationProblem> problems) =>
        Read(new ConfigurationBuilder().AddJsonFile(Path.GetFullPath(file), optional: false), file, problems);

    /// <summary>Reads what can be read; what cannot (unknown keys, values that are no number) is added to the problems.</summary>
    /// <returns>Null when the file as a whole cannot be read: anything said about its keys would be invented.</returns>
    public static GatewayOptions? Read(string? file, IReadOnlyList<string> switches, List<ConfigurationProblem> problems)
    {
        var builder = new ConfigurationBuilder();
        if (file is not null)
        {
            builder.AddJsonFile(Path.GetFullPath(file), optional: false);
        }

        return Read(builder.AddEnvironmentVariables(EnvironmentPrefix).AddCommandLine([.. switches]), file ?? "(switches)", problems);
    }

    private static GatewayOptions? Read(IConfigurationBuilder builder, string from, List<ConfigurationProblem> problems)
    {
        IConfiguration read;
        try
        {
            read = builder.Build();
        }
        catch (Exception e) when (e is IOException or InvalidDataException or FormatException or UnauthorizedAccessException)
        {
            problems.Add(new ConfigurationProblem(from, Reason(e)));
            return null;
        }

        var options = new GatewayOptions();
        Fill(options, read, "", problems);

        if (options.Listen.AETitles.Count == 0)
        {
            options.Listen.AETitles.Add("PSG");
        }

        return options;
    }

    private static string Reason(Exception e)
    {
        for (Exception? inner = e; inner is not null; inner = inner.InnerException)
        {
            if (inner is JsonException { LineNumber: { } line, BytePositionInLine: { } position } json)
            {
                // The framework counts from zero and says so at the end of its text; editors count from one.
                string text = json.Message;
                int place = text.IndexOf(" LineNumber:", StringComparison.Ordinal);
                return string.Create(CultureInfo.InvariantCulture,
                    $"is not JSON, at line {line + 1}, position {position + 1}: {(place < 0 ? text : text[..place])}");
            }
        }

        return e.InnerException?.Message ?? e.Message;
    }

    /// <summary>The configuration in effect as JSON; a secret shows as "(set)" or null.</summary>
    public static string Print(GatewayOptions options)
    {
        JsonNode tree = JsonSerializer.SerializeToNode(options, Printing)!;
        Redact(tree, typeof(GatewayOptions), "(set)");
        return tree.ToJsonString(Printing);
    }

    /// <summary>The same in a form that can be read again: a secret shows as null, whether it is set or not.</summary>
    public static string PrintWithoutSecrets(GatewayOptions options)
    {
        JsonNode tree = JsonSerializer.SerializeToNode(options, Printing)!;
        Redact(tree, typeof(GatewayOptions), null);
        return tree.ToJsonString(Printing);
    }

    // The framework's own binder stops at the first bad value and ignores unknown keys: a misspelt key would be a silent default.
    private static void Fill(object target, IConfiguration section, string path, List<ConfigurationProblem> problems)
    {
        foreach (IConfigurationSection child in section.GetChildren())
        {
            string here = path.Length == 0 ? child.Key : $"{path}:{child.Key}";
            PropertyInfo? property = target.GetType().GetProperty(
                child.Key, BindingFlags.Public | BindingFlags.Instance | BindingFlags.IgnoreCase);
            if (property is not { CanWrite: true })
            {
                problems.Add(new ConfigurationProblem(here, "no such key."));
            }
            else if (property.GetValue(target) is Dictionary<string, string> texts)
            {
                FillTexts(texts, child, here, problems);
            }
            else if (property.GetValue(target) is IList list)
            {
                FillList(list, property.PropertyType.GetGenericArguments()[0], child, here, problems);
            }
            else if (property.PropertyType.Namespace == typeof(GatewayOptions).Namespace && !property.PropertyType.IsEnum)
            {
                Fill(property.GetValue(target)!, child, here, problems);
            }
            else if (child.GetChildren().Any())
            {
                problems.Add(new ConfigurationProblem(here, "is one value, not a section."));
            }
            else if (child.Value is { } text && TryConvert(text, property.PropertyType, here, problems, out object? value))
            {
                property.SetValue(target, value);
            }
        }
    }

    private static void FillTexts(Dictionary<string, string> texts, IConfigurationSection section, string path, List<ConfigurationProblem> problems)
    {
        if (!string.IsNullOrEmpty(section.Value))
        {
            problems.Add(new ConfigurationProblem(path, "is a section of names and values, not one value."));
        }

        foreach (IConfigurationSection item in section.GetChildren())
        {
            if (item.Value is { } text)
            {
                texts[item.Key] = text;
            }
            else
            {
                problems.Add(new ConfigurationProblem($"{path}:{item.Key}", "is one value, not a section."));
            }
        }
    }

    private static void FillList(IList list, Type of, IConfigurationSection section, string path, List<ConfigurationProblem> problems)
    {
        // One value where a list stands is the whole list, comma separated: what an environment variable can hold.
        if (!string.IsNullOrEmpty(section.Value))
        {
            foreach (string part in section.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                Add(part);
            }

            return;
        }

        foreach (IConfigurationSection item in section.GetChildren())
        {
            if (item.Value is { } text)
            {
                Add(text);
            }
            else
            {
                object element = Activator.CreateInstance(of)!;
                Fill(element, item, item.Path, problems);
                list.Add(element);
            }
        }

        void Add(string text)
        {
            if (TryConvert(text, of, path, problems, out object? value))
            {
                list.Add(value);
            }
        }
    }

    private static bool TryConvert(string text, Type type, string path, List<ConfigurationProblem> problems, out object? value)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        value = null;
        try
        {
            value = type.IsEnum
                ? Enum.Parse(type, text, ignoreCase: true)
                : TypeDescriptor.GetConverter(type).ConvertFromString(null, CultureInfo.InvariantCulture, text);
            if (!type.IsEnum || Enum.IsDefined(type, value!))
            {
                return true;
            }
        }
        catch (Exception e) when (e is ArgumentException or FormatException or OverflowException or NotSupportedException)
        {
            // Reported below: the framework's own text would repeat the value.
        }

        string wanted = type.IsEnum
            ? "one of " + string.Join(", ", Enum.GetNames(type).Select(static n => n.ToLowerInvariant()))
            : type == typeof(bool) ? "true or false" : "a whole number that fits";
        problems.Add(new ConfigurationProblem(path, $"must be {wanted}."));
        return false;
    }

    /// <param name="instead">What stands where a secret is set.</param>
    private static void Redact(JsonNode node, Type type, string? instead)
    {
        foreach (PropertyInfo property in type.GetProperties())
        {
            if (property.IsDefined(typeof(SecretAttribute)) && node[property.Name] is not null)
            {
                node[property.Name] = instead;
            }
            else if (node[property.Name] is JsonObject below)
            {
                Redact(below, property.PropertyType, instead);
            }
            else if (node[property.Name] is JsonArray list && property.PropertyType.IsGenericType)
            {
                foreach (JsonObject item in list.OfType<JsonObject>())
                {
                    Redact(item, property.PropertyType.GetGenericArguments()[0], instead);
                }
            }
        }
    }
}
