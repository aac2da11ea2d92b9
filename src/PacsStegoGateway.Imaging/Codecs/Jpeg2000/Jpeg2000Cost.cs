using System.Buffers.Binary;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Imaging.Codecs.Jpeg2000;

/// <summary>
/// What a codestream makes a library allocate: its samples, precincts and code-blocks over all tiles, components and
/// resolutions, by the coding styles of the main header and of every tile-part header (T.800 A.4.2, A.6.1, A.6.2, B.6, B.7).
/// </summary>
/// <remarks>
/// OpenJPEG takes four bytes for a sample and about 700 for a code-block or a band of a precinct, before it has read any
/// data: the caps keep each below half a gigabyte, the bounds by length keep a small stream small.
/// </remarks>
internal ref struct Jpeg2000Cost
{
    /// <summary>Most samples of a frame, all components together: 2^27.</summary>
    public const long MaxSamples = 1L << 27;

    /// <summary>Most code-blocks and bands of precincts together: 2^19.</summary>
    public const long MaxBlocks = 1L << 19;

    /// <summary>Most flags for packets that were seen, which is layers times precincts: 2^27.</summary>
    private const long MaxPackets = 1L << 27;

    private const long FreeSamples = 1L << 24, SamplesPerByte = 1L << 14, FreeBlocks = 1L << 16, BlocksPerByte = 64;

    private const int StartOfTile = 0xFF90, StartOfData = 0xFF93, CodingStyleDefault = 0xFF52, CodingStyleComponent = 0xFF53;

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _components;
    private readonly long _tilesAcross, _tiles;
    private long _precincts, _blocks;

    private Jpeg2000Cost(ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes;
        _components = BinaryPrimitives.ReadUInt16BigEndian(bytes[40..]);
        _tilesAcross = Ceiling(Field(8) - Field(32), Field(24));
        _tiles = _tilesAcross * Ceiling(Field(12) - Field(36), Field(28));
    }

    /// <summary>One coding style: of all components, or of one in place of it.</summary>
    private sealed record Style(int Levels, int BlockWidth, int BlockHeight, byte[] Precincts);

    /// <summary>Throws when the codestream asks for more than its length and the caps allow.</summary>
    /// <param name="bytes">A codestream whose SIZ segment is sound.</param>
    /// <exception cref="DicomContentException">Too much, or a segment is damaged.</exception>
    public static void Require(ReadOnlySpan<byte> bytes) => new Jpeg2000Cost(bytes).Require();

    private void Require()
    {
        long samples = (Field(8) - Field(16)) * (Field(12) - Field(20)) * _components;
        RequireAtMost(samples, Math.Min(MaxSamples, FreeSamples + (SamplesPerByte * _bytes.Length)), "samples");
        int at = 4 + BinaryPrimitives.ReadUInt16BigEndian(_bytes[4..]), layers = 1;
        var main = new Style?[_components];
        ReadHeader(ref at, _bytes.Length, main, ref layers);
        var tiles = new Dictionary<int, (Style?[] Styles, int Layers)>();
        while (_bytes.Length - at >= 12 && Marker(at) == StartOfTile)
        {
            int start = at, tile = Marker(at + 4);
            long length = Field(at + 6);
            if (Marker(at + 2) != 10 || tile >= _tiles)
            {
                throw new DicomContentException($"The codestream has {_tiles} tiles, and a part of tile {tile}.", at);
            }

            (Style?[] styles, int tileLayers) = tiles.TryGetValue(tile, out var known) ? known : ([.. main], layers);
            at += 12;
            long end = length == 0 ? _bytes.Length : start + length;
            ReadHeader(ref at, (int)Math.Min(_bytes.Length, end), styles, ref tileLayers);
            tiles[tile] = (styles, tileLayers);
            at = (int)Math.Min(_bytes.Length, end);
        }

        foreach ((int tile, (Style?[] styles, int tileLayers)) in tiles)
        {
            Add(tile, styles, tileLayers);
        }
    }

    /// <summary>Reads segments up to the first start of tile or of data; styles read later count for what they name.</summary>
    private readonly void ReadHeader(ref int at, int end, Style?[] styles, ref int layers)
    {
        int seen = 0;
        while (end - at >= 4 && Marker(at) is var marker && marker != StartOfTile && marker != StartOfData)
        {
            int length = Marker(at + 2);
            if (marker is < 0xFF50 or (> 0xFF65 and < 0xFF74) or > 0xFF79 || length < 2 || length > end - at - 2)
            {
                throw new DicomContentException($"JPEG 2000 segment {marker:X4} says it has {length} bytes, {end - at - 2} are left.", at);
            }

            ReadOnlySpan<byte> content = _bytes.Slice(at + 4, length - 2);
            if (marker is CodingStyleDefault or CodingStyleComponent)
            {
                bool isDefault = marker == CodingStyleDefault;
                int component = isDefault ? _components : content.IsEmpty ? -1 : content[0];
                if (component < 0 || component > _components || (component == _components) != isDefault || (seen & (1 << component)) != 0 || content.Length < (isDefault ? 10 : 7))
                {
                    throw new DicomContentException($"A coding style of {content.Length} bytes is impossible, stands twice or has no component.", at);
                }

                seen |= 1 << component;
                Style style = ReadStyle(content[(isDefault ? 5 : 2)..], (content[isDefault ? 0 : 1] & 1) != 0, at);
                if (isDefault)
                {
                    layers = BinaryPrimitives.ReadUInt16BigEndian(content[2..]);
                    styles.AsSpan().Fill(style);
                }
                else
                {
                    styles[component] = style;
                }
            }

            at += 2 + length;
        }
    }

    private static Style ReadStyle(ReadOnlySpan<byte> content, bool hasPrecincts, int at)
    {
        int levels = content[0], width = content[1] + 2, height = content[2] + 2;
        ReadOnlySpan<byte> precincts = hasPrecincts ? content[5..] : default;
        if (levels > 32 || width > 10 || height > 10 || width + height > 12 || (hasPrecincts && precincts.Length < levels + 1))
        {
            throw new DicomContentException($"A coding style with {levels} levels, code-blocks of 2^{width} by 2^{height} and {precincts.Length} precinct sizes is impossible.", at);
        }

        return new Style(levels, width, height, precincts.ToArray());
    }

    private void Add(int tile, Style?[] styles, int layers)
    {
        long column = tile % _tilesAcross, row = tile / _tilesAcross, greatest = 0;
        long x0 = Math.Max(Field(32) + (column * Field(24)), Field(16)), x1 = Math.Min(Field(32) + ((column + 1) * Field(24)), Field(8));
        long y0 = Math.Max(Field(36) + (row * Field(28)), Field(20)), y1 = Math.Min(Field(36) + ((row + 1) * Field(28)), Field(12));
        int resolutions = 0;
        foreach (Style? style in styles)
        {
            if (style is null)
            {
                throw new DicomContentException("The codestream has no coding style before its first tile.");
            }

            resolutions = Math.Max(resolutions, style.Levels + 1);
            for (int r = 0; r <= style.Levels; r++)
            {
                int size = style.Precincts.Length > 0 ? style.Precincts[r] : 0xFF, px = size & 15, py = size >> 4, down = style.Levels - r;
                int within = r == 0 ? 0 : 1;
                if (px < within || py < within)
                {
                    throw new DicomContentException("Precincts of one sample are possible at the lowest resolution only.");
                }

                long precincts = Cells(Up(x0, down), Up(x1, down), px) * Cells(Up(y0, down), Up(y1, down), py);
                greatest = Math.Max(greatest, precincts);
                _precincts += precincts;
                int bands = r == 0 ? 1 : 3, width = Math.Min(style.BlockWidth, px - within), height = Math.Min(style.BlockHeight, py - within);
                _blocks += bands * precincts;
                for (int band = r == 0 ? 0 : 1; band <= (r == 0 ? 0 : 3); band++)
                {
                    _blocks += Cells(Band(x0, down, within, band & 1), Band(x1, down, within, band & 1), width)
                        * Cells(Band(y0, down, within, band >> 1), Band(y1, down, within, band >> 1), height);
                }

                RequireAtMost(_precincts, _bytes.Length, "precincts");
                RequireAtMost(_blocks, Math.Min(MaxBlocks, FreeBlocks + (BlocksPerByte * _bytes.Length)), "code-blocks");
            }
        }

        RequireAtMost((layers + 1) * greatest * resolutions * _components, MaxPackets, "packets");
    }

    private readonly void RequireAtMost(long count, long most, string what)
    {
        if (count > most)
        {
            throw new DicomContentException($"{_bytes.Length} bytes of JPEG 2000 cannot hold {count} {what}: at most {most} are decoded.");
        }
    }

    /// <summary>An edge of a band (B-15).</summary>
    private static long Band(long edge, int down, int within, int high) => within == 0 ? Up(edge, down) : Up(edge - ((long)high << down), down + 1);

    private static long Up(long value, int shift) => (value + (1L << shift) - 1) >> shift;

    private static long Cells(long from, long to, int shift) => to > from ? Up(to, shift) - (from >> shift) : 0;

    private static long Ceiling(long length, long part) => (length + part - 1) / part;

    private readonly long Field(int at) => BinaryPrimitives.ReadUInt32BigEndian(_bytes[at..]);

    private readonly int Marker(int at) => BinaryPrimitives.ReadUInt16BigEndian(_bytes[at..]);
}
