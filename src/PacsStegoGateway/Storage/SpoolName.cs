using System.Globalization;

namespace PacsStegoGateway.Storage;

/// <summary>
/// The name of a spool file as a row holds it: <c>node/guid</c>, encrypted; <c>node/guid.plain</c>, written while encryption was
/// switched off; <c>guid</c>, written in the clear by versions that knew neither nodes nor encryption. It is the row, not the
/// file, that says whether a file is encrypted: so nobody passes off a file of his own by leaving the encryption out.
/// </summary>
/// <param name="Node">Null: a file of an earlier version.</param>
internal readonly record struct SpoolName(string? Node, Guid Id, bool IsPlain)
{
    private const string PlainSuffix = ".plain";

    /// <summary>Length of a Guid as 32 hexadecimal digits.</summary>
    private const int IdLength = 32;

    /// <summary>True for 3 to 32 of the letters a to z, digits and hyphens that begin with a letter.</summary>
    public static bool IsNode(string name) => name is { Length: >= 3 and <= 32 } && char.IsAsciiLetterLower(name[0])
        && name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    /// <exception cref="ArgumentException">Not a name of ours: perhaps a path.</exception>
    public static SpoolName Parse(string name)
    {
        int slash = name.IndexOf('/', StringComparison.Ordinal);
        string? node = slash < 0 ? null : name[..slash];
        string file = name[(slash + 1)..];
        bool isPlain = node is null || file.EndsWith(PlainSuffix, StringComparison.Ordinal);
        return (node is null || IsNode(node))
            && (file.Length == IdLength || (node is not null && isPlain && file.Length == IdLength + PlainSuffix.Length))
            && Guid.TryParseExact(file.AsSpan(0, IdLength), "N", out Guid id)
                ? new SpoolName(node, id, isPlain)
                : throw new ArgumentException("Not a name of a spool file.", nameof(name));
    }

    /// <summary>Which of the 256 folders of its node it lies in.</summary>
    public int Fan => Convert.ToInt32(FileName[..2], 16);

    public string FileName => Id.ToString("N") + (IsPlain && Node is not null ? PlainSuffix : "");

    public string PathIn(string folder) => Node is null
        ? Path.Combine(folder, FileName[..2], FileName)
        : Path.Combine(folder, Node, FileName[..2], FileName);

    public override string ToString() => Node is null ? FileName : $"{Node}/{FileName}";

    /// <summary>The name of a fan's folder.</summary>
    public static string FanName(int fan) => fan.ToString("x2", CultureInfo.InvariantCulture);
}
