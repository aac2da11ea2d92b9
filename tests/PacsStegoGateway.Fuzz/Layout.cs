using System.Text.Json;
using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Fuzz;

/// <summary>Where the fields of an input are, so that a mutation can mean something: found once for every seed.</summary>
/// <param name="Input">The input.</param>
/// <param name="Boundaries">Offsets between elements, items, PDUs or JSON tokens, ascending; at least 0 and the end.</param>
/// <param name="Lengths">Length fields, or the texts and numbers of JSON: offset and bytes.</param>
/// <param name="Tags">Offsets of tags, PDU types and item types.</param>
/// <param name="Vrs">Offsets of the two letters of explicit VRs.</param>
internal sealed record Layout(Input Input, int[] Boundaries, (int Offset, int Size)[] Lengths, int[] Tags, int[] Vrs)
{
    /// <summary>Deflated bytes are laid out before they are deflated: the mutation is, too.</summary>
    public static Layout Of(Input input)
    {
        var found = new Finder(input.Bytes);
        switch (input.Kind)
        {
            case InputKind.Pdu:
                found.Pdus();
                break;
            case InputKind.Json:
                found.Tokens();
                break;
            case InputKind.File:
                int start = FileMeta.PreambleLength + 4;
                found.Elements(ElementEncoding.ExplicitLittleEndian, Math.Min(start, input.Bytes.Length), input.Bytes.Length);
                break;
            default:
                found.Elements(DataSetReader.EncodingOf(Input.SyntaxOf(input.Kind)), 0, input.Bytes.Length);
                break;
        }

        return new Layout(input, [.. found.Boundaries.Append(0).Append(input.Bytes.Length).Distinct().Order()], [.. found.Lengths], [.. found.Tags], [.. found.Vrs]);
    }

    private sealed class Finder(byte[] bytes)
    {
        public List<int> Boundaries { get; } = [];

        public List<(int Offset, int Size)> Lengths { get; } = [];

        public List<int> Tags { get; } = [];

        public List<int> Vrs { get; } = [];

        /// <summary>Headers one after the other; sequences, items and fragments are stepped into.</summary>
        public void Elements(ElementEncoding encoding, int position, int end)
        {
            while (ElementHeader.TryRead(bytes.AsSpan(position..end), encoding, out ElementHeader header))
            {
                Boundaries.Add(position);
                Tags.Add(position);
                bool isExplicit = encoding != ElementEncoding.ImplicitLittleEndian && header.Tag.Group != 0xFFFE;
                int lengthSize = isExplicit && header.Size == ElementHeader.ShortSize ? 2 : 4;
                Lengths.Add((position + header.Size - lengthSize, lengthSize));
                if (isExplicit)
                {
                    Vrs.Add(position + 4);
                }

                position += header.Size;
                bool isEntered = header.IsUndefined || header.Tag == ElementHeader.Item || header.Vr == Vr.SQ
                    || (!isExplicit && position + 4 <= end && bytes.AsSpan(position, 4).SequenceEqual((byte[])[0xFE, 0xFF, 0x00, 0xE0]));
                if (!isEntered)
                {
                    position += (int)Math.Min(header.Length, (uint)(end - position));
                }
            }
        }

        public void Pdus()
        {
            int position = 0;
            while (position + 6 <= bytes.Length)
            {
                Boundaries.Add(position);
                Tags.Add(position);
                Lengths.Add((position + 2, 4));
                int length = (int)Math.Min(System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(position + 2)), (uint)(bytes.Length - position - 6));
                if (bytes[position] is 1 or 2)
                {
                    Items(position + 6 + 68, position + 6 + length);
                }
                else if (bytes[position] == 4)
                {
                    Lengths.Add((position + 6, 4));
                    Tags.Add(position + 11);
                }

                position += 6 + length;
            }
        }

        public void Tokens()
        {
            var json = new Utf8JsonReader(bytes);
            while (json.Read())
            {
                Boundaries.Add((int)json.TokenStartIndex);
                Boundaries.Add((int)json.BytesConsumed);
                if (json.TokenType is JsonTokenType.String or JsonTokenType.Number or JsonTokenType.Null)
                {
                    Lengths.Add(((int)json.TokenStartIndex, (int)(json.BytesConsumed - json.TokenStartIndex)));
                }
            }
        }

        private void Items(int position, int end)
        {
            while (position + 4 <= end)
            {
                Boundaries.Add(position);
                Tags.Add(position);
                Lengths.Add((position + 2, 2));
                int type = bytes[position];
                int length = Math.Min((bytes[position + 2] << 8) | bytes[position + 3], end - position - 4);
                int inner = type is 0x20 or 0x21 ? 4 : type == 0x50 ? 0 : -1;
                if (inner >= 0)
                {
                    Items(position + 4 + inner, position + 4 + length);
                }

                position += 4 + length;
            }
        }
    }
}
