using System.CommandLine;
using System.Globalization;

namespace PacsStegoGateway.Commands;

/// <summary>Lengths of time as people say them: <c>90s</c>, <c>15m</c>, <c>6h</c>, <c>2d</c>.</summary>
internal static class Age
{
    /// <summary>Two figures at most: what is read at night is how long roughly.</summary>
    public static string Text(TimeSpan age) => age switch
    {
        { TotalSeconds: < 1 } => "0 s",
        { TotalMinutes: < 2 } => $"{(int)age.TotalSeconds} s",
        { TotalHours: < 2 } => $"{(int)age.TotalMinutes} min",
        { TotalDays: < 2 } => $"{(int)age.TotalHours} h",
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)age.TotalDays} d"),
    };

    public static string Since(long unixMilliseconds, DateTimeOffset now) => Text(now - DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds));

    public static Option<TimeSpan?> OlderThan() => new("--older-than")
    {
        Description = "Only what was queued longer ago than this: a number with s, m, h or d, such as 6h.",
        CustomParser = static result =>
        {
            if (TryParse(result.Tokens[0].Value, out TimeSpan age))
            {
                return age;
            }

            result.AddError($"Cannot parse argument '{result.Tokens[0].Value}' for option '--older-than': give a number with s, m, h or d, such as 6h.");
            return null;
        },
    };

    internal static bool TryParse(string text, out TimeSpan age)
    {
        age = default;
        if (text.Length < 2 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number > 1_000_000)
        {
            return false;
        }

        TimeSpan? parsed = text[^1] switch
        {
            's' => TimeSpan.FromSeconds(number),
            'm' => TimeSpan.FromMinutes(number),
            'h' => TimeSpan.FromHours(number),
            'd' => TimeSpan.FromDays(number),
            _ => null,
        };
        age = parsed ?? default;
        return parsed is not null;
    }
}
