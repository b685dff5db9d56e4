// Copyright: (c) 2026, the lync.remediation authors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later
//
// What the generated cmdlets have in common: PowerShell binds, confirms, writes and serialises; the lab's model is asked for the rest.
namespace Lab {
    using System;
    using System.Collections;
    using System.Collections.Generic;
    using System.Globalization;
    using System.IO;
    using System.Linq;
    using System.Management.Automation;
    using System.Net.Sockets;
    using System.Reflection;
    using System.Reflection.Emit;
    using System.Text;
    using System.Text.Json;
    using System.Threading;

    public abstract class ModelCmdlet : PSCmdlet {
        static int count; // of this assembly; there are two
        readonly string invocation = typeof(ModelCmdlet).Assembly.GetName().Name + Interlocked.Increment(ref count);
        TcpClient connection;

        protected override void ProcessRecord() {
            var address = Environment.GetEnvironmentVariable("LAB_MODEL_ADDRESS").Split(':');
            using (connection = new TcpClient(address[0], int.Parse(address[1])))
            using (var reader = new StreamReader(connection.GetStream(), new UTF8Encoding(false)))
            using (var writer = new StreamWriter(connection.GetStream(), new UTF8Encoding(false)) { AutoFlush = true }) {
                void Say(object content) => writer.WriteLine(JsonSerializer.Serialize(content));
                if (Stopping) throw new PipelineStoppedException(); // before there was a connection to close
                try {
                    Say(new Dictionary<string, object> {
                        ["token"] = Environment.GetEnvironmentVariable("LAB_MODEL_TOKEN"), ["command"] = MyInvocation.MyCommand.Name,
                        ["invocation"] = invocation, ["parameter_set"] = ParameterSetName,
                        ["parameters"] = MyInvocation.BoundParameters.ToDictionary(p => p.Key, p => Values.Sent(p.Value, 2)),
                    });
                    for (string line; (line = reader.ReadLine()) != null;) {
                        using var message = JsonDocument.Parse(line);
                        var content = message.RootElement[1];
                        switch (message.RootElement[0].GetString()) {
                            case "output": WriteObject(Values.Received(content)); break;
                            case "error": WriteError(Values.Error(content)); break;
                            case "terminating_error": ThrowTerminatingError(Values.Error(content)); break;
                            case "warning": WriteWarning(content.GetString()); break;
                            case "verbose": WriteVerbose(content.GetString()); break;
                            case "debug": WriteDebug(content.GetString()); break;
                            case "should_process": Say(ShouldProcess(content.GetString())); break;
                            case "should_continue": Say(ShouldContinue(content[0].GetString(), content[1].GetString())); break;
                            case "done": return;
                        }
                    }
                } catch (IOException) { }
            }
            throw new PipelineStoppedException(); // the lab or StopProcessing ended the conversation
        }

        protected override void StopProcessing() => connection?.Close();
    }

    static class Values {
        public static object Sent(object value, int depth) {
            var held = value is PSObject wrapped ? wrapped.BaseObject : value;
            switch (held) {
                case null: case string: case bool: case int: case long: case short: case ushort: case uint: case ulong: case byte: return held;
                case SwitchParameter given: return given.IsPresent;
                case DateTime time: return time.ToString(time.Kind == DateTimeKind.Unspecified ? "yyyy-MM-ddTHH:mm:ss.ffffff" : "yyyy-MM-ddTHH:mm:ss.ffffffzzz", CultureInfo.InvariantCulture);
                case IFormattable number when held is float or double or decimal: return number.ToString("R", CultureInfo.InvariantCulture);
                case Enum or TimeSpan or Guid or char or Version: return held.ToString();
                case PSCredential credential: return credential.UserName; // no password leaves the process
                case System.Security.SecureString: return "***";
                case byte[] bytes: return new { bytes = Convert.ToBase64String(bytes) };
                case IDictionary dictionary: return new { dictionary = dictionary.Keys.Cast<object>().Select(k => new[] { Sent(k, depth), Sent(dictionary[k], depth) }) };
                case IEnumerable items: return items.Cast<object>().Select(item => Sent(item, depth)).ToArray();
            }
            if (held.GetType().GetCustomAttribute<SentAsTextAttribute>() != null || depth == 0) return held.ToString();
            var members = new Dictionary<string, object>();
            foreach (var property in PSObject.AsPSObject(value).Properties)
                try { members[property.Name] = Sent(property.Value, depth - 1); } catch (GetValueException) { }
            return new { @object = PSObject.AsPSObject(value).TypeNames, properties = members, text = value.ToString() };
        }

        public static object Received(JsonElement value) {
            switch (value.ValueKind) {
                case JsonValueKind.Null: return null;
                case JsonValueKind.True: case JsonValueKind.False: return value.GetBoolean();
                case JsonValueKind.String: return value.GetString();
                case JsonValueKind.Array: return value.EnumerateArray().Select(Received).ToArray();
            }
            var kind = value.EnumerateObject().First();
            switch (kind.Name) {
                case "scalar": return LanguagePrimitives.ConvertTo(value.GetProperty("value").GetString(), Types.Known(kind.Value.GetString()), CultureInfo.InvariantCulture);
                case "instant": return kind.Value.GetDateTimeOffset().LocalDateTime;
                case "utc": return kind.Value.GetDateTimeOffset().UtcDateTime;
                case "date": return DateTime.SpecifyKind(kind.Value.GetDateTime(), DateTimeKind.Unspecified);
                case "bytes": return kind.Value.GetBytesFromBase64();
                case "strings": return kind.Value.EnumerateArray().Select(text => text.GetString()).ToArray();
                case "string_list": return kind.Value.EnumerateArray().Select(text => text.GetString()).ToList();
                case "enumeration": return Types.Enumeration(kind.Value.GetString(), value);
                case "dictionary":
                    var table = new Hashtable();
                    foreach (var pair in kind.Value.EnumerateArray()) table[Received(pair[0])] = Received(pair[1]);
                    return table;
                case "noted": return Noted(new PSObject(Received(kind.Value)), value.GetProperty("notes"));
            }
            var names = kind.Value.EnumerateArray().Select(name => name.GetString()).ToArray();
            var properties = value.GetProperty("properties").EnumerateObject().ToArray();
            if (properties.Length == 0) {
                var bag = Noted(new PSObject(), value.GetProperty("notes"));
                if (!bag.TypeNames.SequenceEqual(names)) { bag.TypeNames.Clear(); foreach (var name in names) bag.TypeNames.Add(name); }
                return bag;
            }
            var type = Types.Of(names, properties.Select(property => property.Name));
            var made = Activator.CreateInstance(type);
            foreach (var property in properties) Types.Field(type, property.Name).SetValue(made, Received(property.Value));
            Types.Field(type, "ToString").SetValue(made, value.GetProperty("text").GetString());
            return Noted(new PSObject(made), value.GetProperty("notes"));
        }

        static PSObject Noted(PSObject target, JsonElement notes) {
            foreach (var note in notes.EnumerateObject()) // but for those that PowerShell itself gives a type
                if (target.Properties[note.Name] == null) target.Properties.Add(new PSNoteProperty(note.Name, Received(note.Value)));
            return target;
        }

        public static ErrorRecord Error(JsonElement error) => new(
            Exception(error.GetProperty("exception")), error.GetProperty("id").GetString(),
            Enum.Parse<ErrorCategory>(error.GetProperty("category").GetString()), Received(error.GetProperty("target")) is PSObject { BaseObject: not PSCustomObject } target ? target.BaseObject : Received(error.GetProperty("target")));

        static Exception Exception(JsonElement[] names, string message, Exception inner) {
            var type = Types.OfException(names.Select(name => name.GetString()).ToArray());
            var made = type.GetConstructor(new[] { typeof(string), typeof(Exception) })?.Invoke(new object[] { message, inner })
                ?? type.GetConstructor(new[] { typeof(string) })?.Invoke(new object[] { message });
            return (Exception)made ?? new RuntimeException(message, inner);
        }

        static Exception Exception(JsonElement exception) => exception.ValueKind == JsonValueKind.Null ? null : Exception(
            exception.GetProperty("types").EnumerateArray().ToArray(), exception.GetProperty("message").GetString(), Exception(exception.GetProperty("inner")));
    }

    /// The .NET types of what the model answers, made as they are needed: public properties, and the text as ToString.
    static class Types {
        static readonly Dictionary<string, Type> made = new();
        const MethodAttributes Getter = MethodAttributes.Public | MethodAttributes.SpecialName | MethodAttributes.HideBySig;
        const MethodAttributes Override = MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.HideBySig;

        public static Type Known(string name) =>
            typeof(Types).Assembly.GetType(name) ?? Type.GetType(name) ?? AppDomain.CurrentDomain.GetAssemblies().Where(a => !a.IsDynamic).Select(a => a.GetType(name)).FirstOrDefault(t => t != null);

        public static FieldInfo Field(Type type, string name) => type.GetField("_" + name, BindingFlags.NonPublic | BindingFlags.Instance);

        static Type Once(string key, Func<Type> make) {
            lock (made) return made.TryGetValue(key, out var type) ? type : made[key] = make();
        }

        static ModuleBuilder Module(string name) => AssemblyBuilder.DefineDynamicAssembly(new AssemblyName(name), AssemblyBuilderAccess.Run).DefineDynamicModule(name);

        public static object Enumeration(string name, JsonElement value) {
            var number = value.GetProperty("number").GetInt32();
            var member = value.GetProperty("members").EnumerateObject().Where(each => each.Value.GetInt32() == number).Select(each => each.Name).FirstOrDefault();
            // A type's members are those of all commands together, so that names count, and not numbers.
            if (Known(name) is { IsEnum: true } known && (member is null || Enum.IsDefined(known, member)))
                return member is null ? Enum.ToObject(known, number) : Enum.Parse(known, member);
            var type = Once(name, () => {
                var builder = Module(name).DefineEnum(name, TypeAttributes.Public, typeof(int));
                foreach (var member in value.GetProperty("members").EnumerateObject()) builder.DefineLiteral(member.Name, member.Value.GetInt32());
                if (value.GetProperty("flags").GetBoolean()) builder.SetCustomAttribute(new CustomAttributeBuilder(typeof(FlagsAttribute).GetConstructor(Type.EmptyTypes), Array.Empty<object>()));
                return builder.CreateType();
            });
            return Enum.ToObject(type, number);
        }

        public static Type Of(string[] names, IEnumerable<string> properties) => Once(names[0] + "|" + string.Join("|", properties), () => {
            var parent = names.Length < 3 ? typeof(object) : Known(names[1]) ?? Of(names.Skip(1).ToArray(), Array.Empty<string>());
            var (outer, inner) = names[0].Split('+') is { Length: 2 } nested ? (nested[0], nested[1]) : (null, names[0]);
            var enclosing = outer == null ? null : Module(outer).DefineType(outer, TypeAttributes.Public);
            var builder = enclosing?.DefineNestedType(inner, TypeAttributes.NestedPublic, parent) ?? Module(inner).DefineType(inner, TypeAttributes.Public, parent);
            builder.DefineDefaultConstructor(MethodAttributes.Public);
            foreach (var property in properties) {
                var getter = Reads(builder, "get_" + property, Getter, property, typeof(object));
                builder.DefineProperty(property, PropertyAttributes.None, typeof(object), null).SetGetMethod(getter);
            }
            builder.DefineMethodOverride(Reads(builder, "ToString", Override, "ToString", typeof(string)), typeof(object).GetMethod("ToString"));
            enclosing?.CreateType();
            return builder.CreateType();
        });

        static MethodBuilder Reads(TypeBuilder builder, string method, MethodAttributes attributes, string name, Type type) {
            var field = builder.DefineField("_" + name, type, FieldAttributes.Private);
            var getter = builder.DefineMethod(method, attributes, type, Type.EmptyTypes);
            var code = getter.GetILGenerator();
            code.Emit(OpCodes.Ldarg_0); code.Emit(OpCodes.Ldfld, field); code.Emit(OpCodes.Ret);
            return getter;
        }

        public static Type OfException(string[] names) => Known(names[0]) ?? Once(names[0], () => {
            var signature = new[] { typeof(string), typeof(Exception) };
            var parent = OfException(names.Skip(1).ToArray());
            var called = parent.GetConstructor(signature) ?? typeof(Exception).GetConstructor(signature);
            var builder = Module(names[0]).DefineType(names[0], TypeAttributes.Public, called.DeclaringType);
            var code = builder.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, signature).GetILGenerator();
            code.Emit(OpCodes.Ldarg_0); code.Emit(OpCodes.Ldarg_1); code.Emit(OpCodes.Ldarg_2); code.Emit(OpCodes.Call, called); code.Emit(OpCodes.Ret);
            return builder.CreateType();
        });
    }

    /// Marks types of parameters that are a text with a name.
    public sealed class SentAsTextAttribute : Attribute { }

    [SentAsText]
    public abstract class Text {
        readonly string text;
        protected Text(object value) => text = (PSObject.AsPSObject(value).Properties["Identity"]?.Value ?? value).ToString();
        public override string ToString() => text;
    }

    /// An identity of the Central Management Store; its constructor refuses what cannot be one.
    public abstract class Identity : Text {
        protected Identity(object value) : base(value) {
            if (string.IsNullOrWhiteSpace(ToString())) throw new ArgumentException($"The identity \"{this}\" is not in a valid format.");
        }
    }
}
