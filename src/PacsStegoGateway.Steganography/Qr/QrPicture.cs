using QRCoder;

namespace PacsStegoGateway.Steganography.Qr;

/// <summary>The QR symbol whose codewords an image carries, drawn for people and cameras.</summary>
public sealed class QrPicture
{
    /// <summary>Modules of light margin that QRCoder draws and the standard asks for.</summary>
    private const int QuietZone = 4;

    private readonly bool[] _isDark;

    private QrPicture(SymbolSize size, bool[] isDark)
    {
        Version = size.Version;
        Edge = size.ModuleCount;
        _isDark = isDark;
    }

    /// <summary>QR version, 1 to 40; the level is L.</summary>
    public int Version { get; }

    /// <summary>Modules on a side, without the quiet zone.</summary>
    public int Edge { get; }

    /// <summary>True for a dark module; outside the symbol all is light.</summary>
    public bool this[int x, int y] => x >= 0 && y >= 0 && x < Edge && y < Edge && _isDark[(y * Edge) + x];

    /// <summary>Draws the symbol of a sealed payload.</summary>
    /// <param name="payload">As long as one of the <see cref="SymbolSize"/> classes says, see <see cref="Embedding.Embedded.SymbolPayload"/>.</param>
    /// <exception cref="ArgumentException">Of another length.</exception>
    public static QrPicture Draw(ReadOnlySpan<byte> payload)
    {
        int length = payload.Length;
        SymbolSize size = SymbolSize.All.FirstOrDefault(known => known.PayloadLength == length)
            ?? throw new ArgumentException($"No symbol is filled by {length} bytes.", nameof(payload));
        using QRCodeData data = QRCodeGenerator.GenerateQrCode(payload.ToArray(), QRCodeGenerator.ECCLevel.L);
        int edge = size.ModuleCount;
        if (data.ModuleMatrix.Count != edge + (2 * QuietZone))
        {
            throw new InvalidOperationException($"QRCoder drew {data.ModuleMatrix.Count} modules where version {size.Version} has {edge}.");
        }

        bool[] isDark = new bool[edge * edge];
        for (int y = 0; y < edge; y++)
        {
            for (int x = 0; x < edge; x++)
            {
                isDark[(y * edge) + x] = data.ModuleMatrix[y + QuietZone][x + QuietZone];
            }
        }

        byte[] carried = new byte[size.CodewordCount];
        SymbolCodewords.Encode(size, payload, carried);
        return ModuleOrder.ReadCodewords(size, isDark).AsSpan().SequenceEqual(carried)
            ? new QrPicture(size, isDark)
            : throw new InvalidOperationException("The drawn symbol has other codewords than the image carries.");
    }

    /// <summary>Grey levels (0 dark, 255 light), row-major, with the quiet zone.</summary>
    /// <param name="scale">Pixels for each module, 1 to 64.</param>
    /// <param name="edge">Width and height in pixels.</param>
    public byte[] Render(int scale, out int edge)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(scale, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(scale, 64);
        edge = (Edge + (2 * QuietZone)) * scale;
        byte[] pixels = new byte[edge * edge];
        for (int y = 0; y < edge; y++)
        {
            for (int x = 0; x < edge; x++)
            {
                pixels[(y * edge) + x] = this[(x / scale) - QuietZone, (y / scale) - QuietZone] ? (byte)0 : (byte)255;
            }
        }

        return pixels;
    }
}
