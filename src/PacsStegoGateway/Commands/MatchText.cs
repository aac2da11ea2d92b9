using System.Text;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Commands;

/// <summary>Matches of a query for people and for other programs. What a peer sent never reaches the terminal as a command to it.</summary>
internal static class MatchText
{
    private const int WidestColumn = 64;

    /// <summary>A table with a line for each match, columns as wide as what is in them.</summary>
    public static void WriteTable(IReadOnlyList<Tag> columns, IReadOnlyList<DataSet> matches, TextWriter output)
    {
        string[][] lines = [.. matches.Select(m => columns.Select(c => Printable(ValueOf(m, c))).ToArray())];
        string[] heads = [.. columns.Select(NameOf)];
        int[] widths = [.. heads.Select((h, i) => Math.Min(WidestColumn, Math.Max(h.Length, lines.Select(l => l[i].Length).DefaultIfEmpty().Max())))];
        foreach (string[] line in lines.Prepend([.. widths.Select(static w => new string('-', w))]).Prepend(heads))
        {
            output.WriteLine(string.Join("  ", line.Select((text, i) => text.PadRight(widths[i]))).TrimEnd());
        }
    }

    /// <summary>RFC 4180, one header line.</summary>
    public static void WriteCsv(IReadOnlyList<Tag> columns, IReadOnlyList<DataSet> matches, TextWriter output)
    {
        output.Write(string.Join(',', columns.Select(static c => Quoted(NameOf(c)))) + "\r\n");
        foreach (DataSet match in matches)
        {
            output.Write(string.Join(',', columns.Select(c => Quoted(ValueOf(match, c)))) + "\r\n");
        }
    }

    public static string Printable(string text)
    {
        if (!text.Any(char.IsControl))
        {
            return text;
        }

        var clean = new StringBuilder(text);
        for (int i = 0; i < clean.Length; i++)
        {
            clean[i] = char.IsControl(clean[i]) ? '?' : clean[i];
        }

        return clean.ToString();
    }

    private static string NameOf(Tag tag) => DataDictionary.Find(tag)?.Keyword ?? tag.ToString();

    private static string ValueOf(DataSet match, Tag tag) => match.Find(tag) switch
    {
        null => "",
        { Items: { } items } => $"{items.Count} items",
        _ => match.GetText(tag)?.Trim() ?? "",
    };

    private static string Quoted(string text) =>
        text.AsSpan().ContainsAny(",\"\r\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
}
